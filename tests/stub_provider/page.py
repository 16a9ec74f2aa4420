"""A plain page: each recipient's phone and what it showed."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import Any

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;background:#e9edf0;margin:2rem;color:#1b2733}
main{display:flex;flex-wrap:wrap;gap:1.5rem}
section{width:19rem;background:#fff;border:.6rem solid #26313b;border-radius:1.6rem;padding:.8rem;min-height:22rem}
h2{font-size:1rem;margin:.2rem 0 .8rem;text-align:center}
p{background:#dff3d8;border-radius:.6rem;padding:.5rem .7rem;margin:.5rem 0;white-space:pre-wrap;overflow-wrap:anywhere}
p.sms{background:#e4ecfb}small{color:#5c6b78}
"""


def page(shown: list[dict[str, Any]]) -> str:
    """Newest first, refreshed every two seconds."""
    by_phone = groupby(sorted(shown, key=lambda entry: entry["to"]), key=lambda entry: entry["to"])
    phones = "".join(_phone(to, list(entries)) for to, entries in by_phone)
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
        f"<title>手机</title><style>{_STYLE}</style><h1>收到的消息（{len(shown)}）</h1>"
        f"<main>{phones or '<p>还没有消息</p>'}</main></html>"
    )


def _phone(to: str, entries: list[dict[str, Any]]) -> str:
    messages = "".join(_message(entry) for entry in sorted(entries, key=lambda entry: entry["at"], reverse=True))
    return f"<section><h2>{escape(to)}</h2>{messages}</section>"


def _message(entry: dict[str, Any]) -> str:
    look = "sms" if entry["provider"].endswith(("sms", "mas")) else "chat"
    link = entry["extra"].get("url")
    button = f'<br><a href="{escape(link)}">{escape(entry["extra"].get("btntxt", "查看"))}</a>' if link else ""
    when = f"{entry['at'][11:19]} UTC · {entry['provider']}"
    return f'<p class="{look}">{escape(entry["text"])}{button}<br><small>{escape(when)}</small></p>'
