"""The one place that loads Apprise: our plugins in its registry, and its other services as channels."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

from apprise import Apprise, AppriseAsset, NotifyFormat
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase
from apprise.result import AppriseResult, AppriseResultStatus

from sla_service.delivery.message import Form, Message
from sla_service.delivery.outcome import Outcome, accepted, refused, unavailable, unknown
from sla_service.delivery.plugins.answers import shown
from sla_service.delivery.plugins.base import ProviderNotify
from sla_service.delivery.plugins.ports import Ports
from sla_service.delivery.plugins.sms_aliyun import NotifyAliSms
from sla_service.delivery.plugins.sms_tencent import NotifyTencentSms
from sla_service.delivery.plugins.sms_yunmas import NotifyYunMas
from sla_service.delivery.plugins.wecom_app import NotifyWeComApp
from sla_service.delivery.plugins.wecom_group import NotifyWeComGroup
from sla_service.errors import ChannelError

PLUGINS: Final[dict[str, type[ProviderNotify]]] = {
    plugin.secure_protocol: plugin
    for plugin in (NotifyWeComApp, NotifyWeComGroup, NotifyYunMas, NotifyAliSms, NotifyTencentSms)
}

# Apprise has services of its own for these, which count a refused message as sent or hide invalid recipients;
# its wecom:// is another company's relay.
_REPLACED: Final = {
    "wecom": "wecomapp://企业ID:应用的Secret@AgentId/",
    "wechat": "wecomapp://企业ID:应用的Secret@AgentId/",
    "wecombot": "wecomgroup://机器人的key/",
}
_SHORTEST_SECRET: Final = 6  # shorter parts of a URL are words, and replacing them would spoil the text


def register() -> None:
    """Puts our plugins into Apprise's registry; once is enough, again does no harm.

    Raises :class:`ChannelError` if another class stands behind one of our schemes: what it sends and reports
    would not be what we say.
    """
    manager: Any = NotificationManager()  # type: ignore[no-untyped-call]
    for scheme, plugin in PLUGINS.items():
        there = manager[scheme] if scheme in manager else None  # noqa: SIM401 — it has no get()
        if there is plugin:
            continue
        if there is not None and _name(there) == _name(plugin):
            manager.remove(scheme, unload=False)  # the same class, imported anew
        elif there is not None:
            raise ChannelError(f"{scheme}:// 已被别的 Apprise 插件（{_name(there)}）占用，请移除它")
        if not manager.add(plugin) or manager[scheme] is not plugin:
            raise ChannelError(f"{scheme}:// 没有能在 Apprise 里登记")


def open_ours(scheme: str, url: str, ports: Ports) -> ProviderNotify:
    """One of our plugins, opened from its URL with the service's ports."""
    register()
    plugin = PLUGINS[scheme]
    arguments = plugin.parse_url(url)
    if arguments is None:
        raise ChannelError("地址读不出来")
    return plugin(ports=ports, **arguments)


def open_other(url: str) -> AppriseChannel:
    """Any other service of Apprise."""
    register()
    with _quiet():
        service = Apprise.instantiate(url, asset=_asset())
    # A webhook address as WeCom shows it (https://…) becomes one of these too.
    scheme = service.schema if service else url.partition(":")[0].lower()
    if scheme in _REPLACED:
        raise ChannelError(f"请改用 {_REPLACED[scheme]}，Apprise 自带的 {scheme}:// 看不出消息是否被拒收")
    if service is None:
        raise ChannelError("Apprise 不认识这个地址，或其中缺少必要的部分")
    return AppriseChannel(service, url)


class AppriseChannel:
    """A service of Apprise's own as a channel, to the recipients its URL names.

    Apprise says yes or no, and neither why nor under which id. Yes is *accepted*. No after at least as long as
    the service waits for an answer is *unknown*: the plugins swallow the time-out, and a fallback then would be a
    second alert. No before that is *unavailable*, tried again and then followed by the next channel, since a wrong
    password and a server that is down look the same.
    """

    def __init__(self, service: NotifyBase, url: str) -> None:
        # Limits are the service's own affair; a sleep in a worker would hold up its other messages.
        service.request_rate_per_sec = 0
        service.optional = False  # else Apprise reports a failure as success
        self._patience = min(service.socket_connect_timeout, service.socket_read_timeout)
        self.longest = (service.socket_connect_timeout + service.socket_read_timeout) * 4 * (service.retry + 1)
        self._apprise = Apprise(asset=_asset())
        self._apprise.add(service)
        parts = (unquote(part) for part in re.split(r"[/:@?&=#,]+", url.partition("://")[2]))
        self._secrets = sorted((part for part in parts if len(part) >= _SHORTEST_SECRET), key=len, reverse=True)

    def deliver(self, message: Message) -> Outcome:
        body = "\n".join(part for part in (message.body, message.url) if part)
        form = NotifyFormat.MARKDOWN if message.form is Form.MARKDOWN else NotifyFormat.TEXT
        start = time.monotonic()
        with self._apprise.notify(body=body or message.title, title=message.title, body_format=form) as result:
            elapsed, status, text = time.monotonic() - start, result.status, self._first_words(result)
        if status is AppriseResultStatus.SUCCESS:
            return accepted(code="apprise")
        if status is AppriseResultStatus.NOMATCH:
            return refused("apprise_nomatch", text)
        if status is not AppriseResultStatus.FAILURE or elapsed >= self._patience:
            return unknown("apprise_timeout", text or "Apprise 没有及时得到应答。")
        return unavailable("apprise_failed", text or "Apprise 没有发出去，没有说明原因。")

    def close(self) -> None:
        """Apprise keeps no connections."""

    def _first_words(self, result: AppriseResult) -> str:
        """What the plugin logged first, without what stands in the URL."""
        for entry in result.logs():
            return shown(entry.message, *self._secrets)
        return ""


def _asset() -> AppriseAsset:
    # service_timeout=0: called in our own thread, not in Apprise's pool of a few, where a slow service holds up all.
    return AppriseAsset(service_timeout=0, async_mode=False, secure_logging=True)


def _name(plugin: type) -> str:
    return f"{plugin.__module__}.{plugin.__qualname__}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Apprise logs a URL it cannot read; its masking is a guess, ours says nothing."""

    def drop(_record: logging.LogRecord) -> bool:
        return False

    logger = logging.getLogger("apprise")
    logger.addFilter(drop)
    try:
        yield
    finally:
        logger.removeFilter(drop)
