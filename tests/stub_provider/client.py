"""The stub's control from another process, with the same words as :class:`StubProvider`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen


class StubClient:
    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")

    def shown(self, provider: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
        wanted = {name: value for name, value in {"provider": provider, "to": to}.items() if value}
        return self._call("GET", f"/__shown?{urlencode(wanted)}")

    def fault(self, fault: str, **how: Any) -> None:
        self._call("POST", "/__control", {"fault": fault, **how})

    def control(self, **order: Any) -> None:
        self._call("POST", "/__control", order)

    def reset(self) -> None:
        self._call("POST", "/__reset")

    def click(self, task: str) -> int:
        return int(self._call("POST", f"/__click?{urlencode({'task': task})}")["status"])

    @property
    def stats(self) -> dict[str, int]:
        return self._call("GET", "/__stats")

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return self._call("GET", "/__bodies")

    def _call(self, method: str, path: str, order: dict[str, Any] | None = None) -> Any:
        data = None if order is None else json.dumps(order).encode()
        with urlopen(Request(self.base + path, data=data, method=method), timeout=10) as answer:
            return json.loads(answer.read())
