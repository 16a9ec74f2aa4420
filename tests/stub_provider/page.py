"""A plain page: each recipient's phone and what it showed; a card's button can be pressed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from html import escape
from itertools import groupby
from typing import Any
from urllib.parse import quote

BEIJING = timezone(timedelta(hours=8))
NAMES = {
    "wecomapp": "企业微信",
    "wecomgroup": "企业微信群",
    "yunmas": "短信（云MAS）",
    "alisms": "短信（阿里云）",
    "tencentsms": "短信（腾讯云）",
}
_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;background:#e9edf0;margin:2rem;color:#1b2733}
main{display:flex;flex-wrap:wrap;gap:1.5rem;align-items:flex-start}
section{width:19rem;background:#fff;border:.6rem solid #26313b;border-radius:1.6rem;padding:.8rem;min-height:22rem}
h2{font-size:1rem;margin:.2rem 0 .8rem;text-align:center}
article{background:#dff3d8;border-radius:.6rem;padding:.5rem .7rem;margin:.5rem 0;white-space:pre-wrap}
article{overflow-wrap:anywhere}article.sms{background:#e4ecfb}small{color:#5c6b78;display:block}
form{margin:.4rem 0 0}button{width:100%;padding:.4rem;border:0;border-radius:.4rem;background:#2f6feb;color:#fff}
button:disabled{background:#c3cbd3;color:#5c6b78}
"""
_NOTHING = (
    "<p>还没有消息。把渠道的地址指到这里，例如 wecomapp://ww1:stub-secret@1000002/?base=http://127.0.0.1:9000，"
    "密钥都是 stub-secret。</p>"
)


def page(shown: list[dict[str, Any]]) -> str:
    """Newest first, refreshed every two seconds."""
    by_phone = groupby(sorted(shown, key=lambda entry: entry["to"]), key=lambda entry: entry["to"])
    phones = "".join(_phone(to, list(entries)) for to, entries in by_phone)
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>手机</title><style>{_STYLE}</style><h1>收到的消息（{len(shown)}）</h1>"
        f"<main>{phones or _NOTHING}</main></html>"
    )


def _phone(to: str, entries: list[dict[str, Any]]) -> str:
    messages = "".join(_message(entry) for entry in sorted(entries, key=lambda entry: entry["at"], reverse=True))
    return f"<section><h2>{escape(to)}</h2>{messages}</section>"


def _message(entry: dict[str, Any]) -> str:
    look = "sms" if entry["provider"].endswith(("sms", "mas")) else "chat"
    extra = entry["extra"]
    link = extra.get("url")
    opens = f'<br><a href="{escape(link)}">{escape(extra.get("btntxt", "查看"))}</a>' if link else ""
    at = datetime.fromisoformat(entry["at"]).astimezone(BEIJING)
    when = f"{at:%m-%d %H:%M:%S} · {NAMES.get(entry['provider'], entry['provider'])}"
    return (
        f'<article class="{look}">{escape(entry["text"])}{opens}{_button(extra)}<small>{escape(when)}</small></article>'
    )


def _button(extra: dict[str, Any]) -> str:
    if "button" not in extra:
        return ""
    if "greyed" in extra:
        return f"<form><button disabled>{escape(extra['greyed'])}</button></form>"
    press = f"/__click?back=1&task={quote(extra['task'])}"
    return f'<form method="post" action="{escape(press)}"><button>{escape(extra["button"])}</button></form>'
