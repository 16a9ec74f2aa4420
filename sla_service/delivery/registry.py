"""From a channel's URL in ``channels.yaml`` to something that delivers.

Our own schemes open our plugins, any other Apprise URL opens Apprise's. A URL that cannot be used is an error of
one sentence with an example, never with the secret.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote

from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Outcome
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.plugins.sandbox import Sandbox
from sla_service.delivery.text import mask_phones
from sla_service.errors import ChannelError

if TYPE_CHECKING:  # loading its cryptography is for those channels that have one
    from sla_service.delivery.plugins.wecom_callback import Callback

#: The click's code, whose card, what the button says from now on.
Settle = Callable[[str, str, str], Outcome]

EXAMPLES: Final[Mapping[str, str]] = {
    "sandbox": "sandbox://",
    "wecomapp": "wecomapp://企业ID:${SLA_WECOM_SECRET}@1000002/",
    "wecomgroup": "wecomgroup://${SLA_ROBOT_KEY}/",
    "yunmas": "yunmas://APID:${SLA_MAS_SECRET}@集团客户名称/?sign=签名编码&template=模板编号",
    "alisms": "alisms://KEYID:${SLA_SMS_SECRET}@短信签名/?template=SMS_1",
    "tencentsms": "tencentsms://SECRETID:${SLA_SMS_SECRET}@1400000000/?sign=短信签名&template=1",
}
_ANY: Final = "mailtos://用户:密码@smtp.example.com/?to=someone@example.com"
_NO_LOGIN: Final = frozenset({"sandbox", "wecomgroup"})
_MASK: Final = "****"
_HARMLESS: Final = ("base", "ca", "pin", "timeout", "sign", "template", "value_max", "region", "serial", "submit")

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.DOTALL
)
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to reach people, open and ready; may be used from many threads.

    ``masked`` is its URL fit to be shown, ``longest`` how many seconds one ``deliver`` can take at the most: a
    lease has to outlast it.
    """

    name: str
    scheme: str
    masked: str
    longest: float
    deliver: Callable[[Message], Outcome] = field(repr=False)
    close: Callable[[], None] = field(repr=False)
    callback: Callback | None = field(default=None, repr=False)  # where the provider tells of clicks
    settle: Settle | None = field(default=None, repr=False)  # greys the button out that was clicked


def open_channel(name: str, url: str, *, ports: Ports) -> Channel:
    """The channel behind ``url``, whose ``${…}`` are filled in already (:func:`expand`).

    Raises :class:`ChannelError` if the URL does not do, or if another class has taken one of our schemes.
    """
    found = _URL.fullmatch(url.strip())
    scheme = found["scheme"].lower() if found else ""
    try:
        if found is None:
            raise ChannelError("开头要写渠道的种类和 ://")  # noqa: TRY301 — named and exemplified below
        if "${" in url:
            raise ChannelError("里面还有没有替换的 ${…}")  # noqa: TRY301
        return Channel(name, scheme, masked(url), *_opened(scheme, found, url.strip(), ports))
    except ChannelError as error:
        example = EXAMPLES.get(scheme, _ANY if scheme else EXAMPLES["wecomapp"])
        raise ChannelError(f"渠道 {name} 的地址不能用：{error}；写法例如 {example}") from None


def expand(url: str, env: Mapping[str, str]) -> str:
    """``url`` with each ``${NAME}`` replaced by that variable, percent-encoded (a ``/`` in a secret breaks a URL).

    ``NAME_FILE`` may name a file that holds the value instead, as everywhere in the settings. Raises
    :class:`ChannelError` naming the variable that is missing.
    """
    expanded = _VARIABLE.sub(lambda found: quote(_value(found[1], env), safe=""), url)
    if "${" in _VARIABLE.sub("", url):
        raise ChannelError("渠道地址里的变量要写成 ${NAME}，名称只用字母、数字和下划线，例如 ${SLA_WECOM_SECRET}。")
    return expanded


def masked(url: str) -> str:
    """``url`` fit to be shown: who and where, but no secret, and telephone numbers only in part."""
    found = _URL.fullmatch(url.strip())
    scheme = found["scheme"].lower() if found else ""
    if found is None:
        return _MASK
    login, _, host = found["authority"].rpartition("@")
    if scheme not in EXAMPLES or (scheme not in _NO_LOGIN and not login):
        return f"{scheme}://{_MASK}"
    if scheme == "wecomgroup":
        host = _MASK
    elif login:
        who, colon, _ = login.partition(":")
        host = f"{who}:{_MASK}@{host}" if colon else f"{_MASK}@{host}"
    query = parse_qsl(found["rest"].partition("#")[0].lstrip("?"))
    options = "&".join(f"{key}={value}" for key, value in query if key in _HARMLESS and "@" not in value)
    return mask_phones(unquote(f"{scheme}://{host}{found['path']}")) + (f"?{options}" if options else "")


def _opened(
    scheme: str, found: re.Match[str], url: str, ports: Ports
) -> tuple[float, Callable[[Message], Outcome], Callable[[], None], Callback | None, Settle | None]:
    if scheme == "sandbox":
        if ports.mailbox is None:
            raise ValueError("the sandbox needs a mailbox port")
        return 1.0, Sandbox(ports.mailbox).deliver, _nothing, None, None
    # Imported here and nowhere else: Apprise takes a quarter of a second, which a service on sandbox channels
    # and most commands never need to spend.
    bridge: Any = importlib.import_module("sla_service.delivery.plugins.bridge")
    if scheme not in EXAMPLES:
        other = bridge.open_other(url)
        return other.longest, other.deliver, other.close, None, None
    login, _, _ = found["authority"].rpartition("@")
    if "@" in login or login.count(":") > 1 or "#" in url:
        raise ChannelError("密钥里的 / : @ # ? % 等字符要写成百分号编码，或用 ${…} 从环境变量取")
    ours = bridge.open_ours(scheme, url, ports)
    return ours.longest, ours.deliver, ours.close, getattr(ours, "callback", None), getattr(ours, "settle", None)


def _nothing() -> None:
    """The sandbox has nothing to close."""


def _value(name: str, env: Mapping[str, str]) -> str:
    if env.get(name):
        return env[name]
    path = env.get(f"{name}_FILE")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise ChannelError(f"环境变量 {name}_FILE 指的文件读不出来，请检查路径和权限。") from None
        if value:
            return value
    raise ChannelError(f"渠道地址里用到的环境变量 {name} 没有设置，请在 .env 里写上它（或 {name}_FILE）。")
