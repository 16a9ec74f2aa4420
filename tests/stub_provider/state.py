"""What the stub remembers: what phones showed, which faults are on, what has been counted."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

SECRET = "stub-secret"  # of every account that control() was not told another for
FAULTS = {
    "timeout_after": "takes the message, answers only after `seconds` (60)",
    "drop_after": "takes the message, closes the connection without an answer",
    "drop_before": "closes the connection without taking the message",
    "stall": "waits `seconds` (30), then goes on as usual",
    "status": "answers HTTP `status` (500) with a page; takes the message first if `accept`",
    "garbage": "takes the message, answers 200 with something that is not its JSON",
    "drip": "takes the message, answers a byte every `seconds` (1)",
    "code": "does not take the message, answers the provider's own `code` (and `text`)",
    "invalid": "recipients in `users` do not exist",
    "half_invalid": "every second recipient does not exist",
}


@dataclass
class Fault:
    """One disturbance. ``provider`` is a scheme, ``gettoken`` or ``*``; ``times`` None means until cleared."""

    fault: str
    provider: str = "*"
    times: int | None = None
    every: int = 1  # only each n-th request
    seconds: float | None = None
    status: int = 500
    retry_after: int | None = None
    accept: bool = False
    code: Any = None
    text: str = ""
    users: list[str] = field(default_factory=list)
    seen: int = 0

    def __post_init__(self) -> None:
        if self.fault not in FAULTS:
            raise ValueError(f"no fault {self.fault!r}; there are {', '.join(FAULTS)}")


@dataclass
class Shown:
    """One message on one phone (or in one group)."""

    at: str
    provider: str
    to: str
    text: str
    id: str
    extra: dict[str, Any]


class State:
    """All of it behind one lock; ``shift`` moves the stub's clock forward for windows and expiry."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.faults: list[Fault] = []
            self.shown: list[Shown] = []
            self.stats: Counter[str] = Counter()
            self.secrets: dict[str, str] = {}
            self.limits = False  # the SMS gateways' own limits
            self.latency = 0.0
            self.shift = 0.0
            self.tokens: dict[str, tuple[str, datetime]] = {}
            self.duplicates: dict[bytes, tuple[datetime, str]] = {}
            self.nonces: set[str] = set()
            self.sent: defaultdict[str, deque[datetime]] = defaultdict(deque)
            self.bodies: list[dict[str, Any]] = []
            self.headers: dict[str, str] = {}  # of the last request
            self.codes: dict[str, tuple[str, datetime]] = {}  # response codes of cards: task, until when
            self.callback = ""  # where clicks are told, with its token and key
            self.callback_keys = ("", "")

    def now(self) -> datetime:
        # A stub of somebody else's server has a clock of its own.
        return datetime.now(UTC) + timedelta(seconds=self.shift)

    def secret_of(self, account: str) -> str:
        return self.secrets.get(account, SECRET)

    def next_id(self, prefix: str) -> str:
        self.stats["ids"] += 1
        return f"{prefix}{self.stats['ids']:06d}"

    def taken_fault(self, *providers: str) -> Fault | None:
        """The first fault that strikes this request, used up by one."""
        with self.lock:
            for fault in self.faults:
                if fault.provider not in {*providers, "*"}:
                    continue
                fault.seen += 1
                if fault.seen % fault.every:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    def within(self, key: str, most: int, seconds: float) -> bool:
        """True and counted if one more fits into the window."""
        now, window = self.now(), self.sent[f"{key}:{seconds}"]
        while window and window[0] <= now - timedelta(seconds=seconds):
            window.popleft()
        if len(window) >= most:
            return False
        window.append(now)
        return True

    def show(self, provider: str, to: str, text: str, message_id: str, **extra: Any) -> None:
        self.stats["shown"] += 1
        self.shown.append(Shown(self.now().isoformat(), provider, to, text, message_id, extra))

    def new_code(self, task: str) -> str:
        """A response code: good for one change of that card, within 72 hours."""
        code = self.next_id("code-")
        self.codes[code] = task, self.now() + timedelta(hours=72)
        return code

    def card(self, task: str) -> Shown | None:
        return next((one for one in self.shown if one.extra.get("task") == task), None)

    def received(self, provider: str, **what: Any) -> None:
        """Keeps the request itself, for tests of the bytes that went out."""
        self.stats[f"requests.{provider}"] += 1
        self.bodies.append({"provider": provider, **what})

    def listed(self, provider: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
        with self.lock:
            return [
                asdict(entry)
                for entry in self.shown
                if (provider is None or entry.provider == provider) and (to is None or entry.to == to)
            ]

    def control(self, order: dict[str, Any]) -> dict[str, Any]:
        """One order: a fault, or any of clear, secrets, limits, latency, shift, expire_tokens, callback, token, aes."""
        with self.lock:
            if order.get("clear"):
                self.faults.clear()
            self.secrets.update(order.get("secrets", {}))
            self.limits = order.get("limits", self.limits)
            self.latency = order.get("latency", self.latency)
            self.shift += order.get("shift", 0.0)
            if "callback" in order:
                self.callback, self.callback_keys = order["callback"], (order["token"], order["aes"])
            if order.get("expire_tokens"):
                past = self.now() - timedelta(seconds=1)
                self.tokens = {token: (who, past) for token, (who, _) in self.tokens.items()}
            if order.get("forget_tokens"):
                self.tokens.clear()
            if "fault" in order:
                known = {name: order[name] for name in Fault.__dataclass_fields__ if name in order}
                self.faults.append(Fault(**known))
            return {"faults": [asdict(fault) for fault in self.faults], "known": FAULTS}


def half(recipients: list[str]) -> list[str]:
    return recipients[1::2]
