"""Templates to pages: everything is escaped, and a name that a template misspells is an error."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sla_service.domain.policy import BEIJING
from sla_service.web.context import web_of

_HERE: Final = Path(__file__).parent.parent

#: Light -> what it is called and the shape beside the colour: nobody has to tell red from green.
LIGHTS: Final[Mapping[str, tuple[str, str]]] = {
    "red": ("超期", "■"),
    "yellow": ("临期", "▲"),
    "green": ("正常", "●"),
    "grey": ("停表", "○"),
}


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """The page ``template`` with ``values``."""
    web = web_of(request)
    common = {
        "lights": LIGHTS,
        "style": f"static/style.css?v={stylesheet()[1]}",
        "root": request.scope.get("root_path", "").rstrip("/") + "/",
        "base": str(request.base_url).rstrip("/"),
        "at": f"{web.clock().astimezone(BEIJING):%Y-%m-%d %H:%M:%S}",
        "viewer": getattr(request.state, "viewer", None),
        "rehearsal": bool(web.app.settings.clock_shift),
    }
    html = _environment().get_template(template).render({**common, **values})
    return Response(html, status, media_type="text/html")


@cache
def stylesheet() -> tuple[bytes, str]:
    """The style sheet and the hash of its content."""
    content = (_HERE / "static" / "style.css").read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(_HERE / "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["segment"] = lambda text: quote(str(text), safe="")
    return made
