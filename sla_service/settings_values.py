"""How each setting's text is read: a value, or ValueError with what it should have been."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from pydantic import SecretStr

_LAST_PORT = 65535
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_PASSWORD = re.compile(r"(?<=[?&])([^=&]*(?:password|secret|token|key|sign)[^=&]*)=[^&]*", re.IGNORECASE)
_USERINFO = re.compile(r"^([a-z][a-z0-9+.-]*://)(.*)@", re.IGNORECASE | re.DOTALL)


def shown(value: str, limit: int = 80) -> str:
    """``value`` in quotation marks, shortened, without line breaks."""
    return json.dumps(value[:limit] + ("…" if len(value) > limit else ""), ensure_ascii=False)


def masked_url(url: str) -> str:
    """``url`` with the password and secret parameters as ``***``; other text as it is."""
    if url.startswith("sqlite"):
        return url
    found = _USERINFO.match(url)
    if found:
        user = found[2].partition(":")[0] if ":" in found[2] else "***"
        url = f"{found[1]}{user}:***@{url[found.end() :]}"
    return _PASSWORD.sub(r"\1=***", url)


def number(what: str, *, above: float | None = None, most: float = 1e12) -> Callable[[object], float]:
    """Reads a finite number > ``above`` and ≤ ``most``."""

    def read(value: object) -> float:
        try:
            found = float(value)  # type: ignore[arg-type]  # whatever float() does not take is refused below
        except (TypeError, ValueError):
            found = math.nan
        if not math.isfinite(found) or (above is not None and found <= above):
            raise ValueError(f"要{what}")
        if abs(found) > most:
            raise ValueError(f"要{what}，最大 {most:g}")
        return found

    return read


def whole(what: str, *, least: int = 0) -> Callable[[object], int]:
    """Reads an integer ≥ ``least``."""

    def read(value: object) -> int:
        text = str(value).strip().replace("_", "")
        if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < least:
            raise ValueError(f"要一个不小于 {least} 的整数：{what}")
        return int(text)

    return read


def read_port(value: object) -> int:
    """A TCP port, 0 for none."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > _LAST_PORT:
        raise ValueError(f"要写一个端口号（0 到 {_LAST_PORT}）")
    return int(text)


def choice(*words: str) -> Callable[[object], str]:
    """Reads one of ``words``, in any case."""

    def read(value: object) -> str:
        if str(value).strip().lower() not in words:
            raise ValueError(f"要写 {'、'.join(words[:-1])} 或 {words[-1]}")
        return str(value).strip().lower()

    return read


def read_switch(value: object) -> bool:
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError("要写 true 或 false")
    return text in _TRUE


def read_address(value: object) -> str:
    """``host:port`` to listen on; IPv6 in brackets."""
    host, colon, port = str(value).strip().rpartition(":")
    bare = host.startswith("[") == host.endswith("]") and (host.startswith("[") or ":" not in host)
    if not colon or not host or not bare or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > _LAST_PORT:
        raise ValueError("要写成 地址:端口，例如 127.0.0.1:8000 或 0.0.0.0:8000")
    return f"{host}:{int(port)}"


def read_database_url(value: object) -> str:
    """SQLite file or PostgreSQL; any spelling of the latter becomes psycopg 3."""
    url = str(value).strip()
    scheme, _, rest = url.partition("://")
    if scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        if not rest.strip("/"):
            raise ValueError("要写明数据库，例如 postgresql://用户:密码@主机/库名")
        return f"postgresql+psycopg://{rest}"
    if scheme in ("sqlite", "sqlite+pysqlite"):
        path = rest.removeprefix("/").split("?")[0]
        if not rest.startswith("/") or path in ("", ":memory:") or path.endswith("/"):
            raise ValueError("SQLite 要写明文件（多个进程共用，不能用内存库），例如 sqlite:///var/sla.db")
        return url
    raise ValueError("要以 sqlite:/// 或 postgresql:// 开头")


def read_broker_url(value: object) -> str | None:
    if value is None:
        return None
    url = str(value).strip()
    if url.partition("://")[0] not in ("redis", "rediss", "redis+socket", "sentinel") or not url.partition("://")[2]:
        raise ValueError("要写 Redis 或 Valkey 的地址，例如 redis://主机:6379/0（不写则用内置的）")
    return url


def read_public_url(value: object) -> str | None:
    """Base of links in messages, without the slash at the end."""
    if value is None:
        return None
    url = str(value).strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        good = False
    if not good or parts.query or parts.fragment or re.search(r"\s", url):
        raise ValueError("要写外面能打开的网址，例如 https://sla.example.gov.cn")
    return url.rstrip("/")


def read_web_address(value: object) -> SecretStr | None:
    """An address to call, kept secret: whoever knows it may call it too."""
    if value is None:
        return None
    url = str(value.get_secret_value() if isinstance(value, SecretStr) else value).strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number
        good = False
    if not good or parts.fragment or re.search(r"\s", url):
        raise ValueError("要写 http:// 或 https:// 开头的网址")
    return SecretStr(url)
