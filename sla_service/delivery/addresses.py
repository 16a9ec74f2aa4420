"""Which addresses may be called for somebody else: the guard against requests forged through us (SSRF).

A URL that a source gives is called from inside the hall's network. So the name is resolved by us, every address it has
is checked, and the connection goes to an address that was checked, anew at each try: what the name says a moment later
(DNS rebinding) plays no part. Numbers in other forms (2130706433, 0x7f.1, 0177.0.0.1) need no rule of their own, since
what counts is the address that the system makes of them.

https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
https://www.iana.org/assignments/iana-ipv6-special-registry
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Host and port to the addresses it has, as texts. Raises OSError.
Resolve = Callable[[str, int], list[str]]

LONGEST: Final = 2000
_LEAST_FREE_PORT: Final = 1024  # below it live services that a forged request must not speak to: mail, shells, files
_PORTS: Final = frozenset({80, 443})

#: Never, whatever the settings say: nothing that somebody wants to be told at lives there, but metadata services do.
_NEVER: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",
            "169.254.0.0/16",  # link-local, and the metadata services of most clouds
            "100.100.100.200/32",  # Aliyun's
            "168.63.129.16/32",  # Azure's
            "192.0.0.0/24",  # protocol assignments, Oracle's metadata service among them
            "224.0.0.0/4",
            "240.0.0.0/4",
            "::/128",
            "fe80::/10",
            "fec0::/10",
            "fd00:ec2::254/128",  # Amazon's
            "ff00::/8",
        ),
    )
)
#: IPv6 addresses that stand for an IPv4 address: what is inside counts, and inside stands what somebody chose.
_WRAPPED: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            "::/96",  # IPv4-compatible
            "::ffff:0:0/96",  # IPv4-mapped
            "::ffff:0:0:0/96",  # IPv4-translated
            "64:ff9b::/96",  # NAT64
            "64:ff9b:1::/48",
            "2001::/32",  # Teredo
            "2002::/16",  # 6to4
        ),
    )
)


class BadAddressError(Exception):
    """The URL cannot be used; the text says why, for whoever entered it."""


class ForbiddenError(BadAddressError):
    """It leads where we do not go for others."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow besides https to public addresses."""

    http: bool = False
    private: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in parts. ``host`` is ASCII; ``path`` has the query with it."""

    tls: bool
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


def read(url: str, rules: Rules) -> Target:
    """Takes a URL apart. Raises BadAddressError for what cannot be called whatever its name resolves to."""
    if len(url) > LONGEST or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url):
        raise BadAddressError(f"地址最长 {LONGEST} 个字符，只能是 ASCII（中文要百分号编码），不能有空格和反斜杠。")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddressError("地址的格式不对，例如 https://case.example.gov.cn/sla。") from None
    if parts.scheme not in ("https", "http") or not host:
        raise BadAddressError("地址要以 https:// 开头，例如 https://case.example.gov.cn/sla。")
    if parts.scheme == "http" and not rules.http:
        raise BadAddressError("地址要以 https:// 开头；只能用 http 的，请管理员设置 SLA_WEBHOOK_HTTP=true。")
    if parts.username is not None or parts.password is not None:
        raise BadAddressError("地址里不能写用户名和密码；请求带有签名，接收方请核对签名。")
    if parts.fragment:
        raise BadAddressError("地址里不能有 #。")
    tls = parts.scheme == "https"
    port = port if port is not None else 443 if tls else 80
    if port not in _PORTS and port < _LEAST_FREE_PORT:
        raise BadAddressError(f"端口只能是 443、80 或不小于 {_LEAST_FREE_PORT}，现在是 {port}。")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(tls, host.rstrip("."), port, path)
    if not target.host or "%" in target.host:  # a zone index names an interface of ours
        raise BadAddressError("地址里的主机名不对。")
    return target


def addresses(target: Target, rules: Rules, resolve: Resolve) -> list[str]:
    """The addresses of the target's host, all of them allowed. Raises ForbiddenError, and OSError for no address."""
    found = resolve(target.host, target.port)
    for text in found:
        if not allowed(ipaddress.ip_address(text), rules):
            raise ForbiddenError(
                f"主机 {target.host} 在内网或保留地址上，不能用；要发到内网，请管理员设置 SLA_WEBHOOK_PRIVATE=true。"
            )
    if not found:
        raise OSError("no address")
    return found


def allowed(ip: Ip, rules: Rules) -> bool:
    """May a connection go there?"""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        inside = _inside(ip)
        if inside is not None and not allowed(inside, rules):
            return False
    if any(ip in network for network in _NEVER if network.version == ip.version):
        return False
    wrapped = ip.version == 6 and any(ip in network for network in _WRAPPED)  # noqa: PLR2004
    return rules.private or (ip.is_global and not wrapped)


def system_resolve(host: str, port: int) -> list[str]:
    """What the system says, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def _inside(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for."""
    if ip in ipaddress.IPv6Network("2002::/16"):
        return ip.sixtofour
    if ip in ipaddress.IPv6Network("2001::/32"):
        return ip.teredo[1] if ip.teredo else None
    if ip not in (ipaddress.IPv6Address("::"), ipaddress.IPv6Address("::1")) and any(
        ip in network for network in _WRAPPED
    ):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return None
