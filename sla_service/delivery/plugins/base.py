"""What all our Apprise plugins share: the options of the URL, one pooled client, ``deliver`` beside ``send``."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any, ClassVar, Final
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

from apprise import NotifyFormat
from apprise.plugins.base import NotifyBase

from sla_service.delivery.http import Client, TransportError
from sla_service.delivery.message import Form, Message, Recipient
from sla_service.delivery.outcome import Outcome
from sla_service.delivery.plugins.answers import shown
from sla_service.delivery.plugins.ports import Ports
from sla_service.errors import ChannelError

MASK: Final = "****"
JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


class ProviderNotify(NotifyBase):  # type: ignore[no-untyped-call]  # Apprise annotates in part
    """An Apprise plugin that also says what really became of a message.

    ``?base=`` is the provider's address (private deployments, test stubs), ``?ca=`` a file of certificates,
    ``?pin=`` the fingerprint of one, ``?proxy=`` an HTTP proxy, ``?timeout=`` seconds to wait for an answer.
    Sending limits are the service's, so Apprise's own throttle is off.

    ``own`` are the options of the plugin itself, kept for :meth:`url`.
    """

    # Apprise declares these by example (None, an empty tuple); plugins fill them in.
    service_name: str = ""  # type: ignore[assignment]
    service_url: str = ""  # type: ignore[assignment]
    setup_url: str = ""  # type: ignore[assignment]
    secure_protocol: str = ""  # type: ignore[assignment]
    notify_format: NotifyFormat | tuple[NotifyFormat, ...] = NotifyFormat.TEXT  # type: ignore[assignment]
    templates: tuple[str, ...] = ()  # type: ignore[assignment]

    request_rate_per_sec = 0
    default_base: ClassVar[str] = ""
    options: ClassVar[tuple[str, ...]] = ("base", "ca", "pin", "proxy", "timeout")

    template_args = {  # noqa: RUF012 — Apprise's own form
        **NotifyBase.template_args,
        "base": {"name": "Base URL", "type": "string"},
        "ca": {"name": "CA Bundle", "type": "string"},
        "pin": {"name": "Certificate Fingerprint", "type": "string"},
        "proxy": {"name": "HTTP Proxy", "type": "string", "private": True},
        "timeout": {"name": "Answer Timeout", "type": "float"},
        "to": {"alias_of": "targets"},
    }

    def __init__(
        self,
        *,
        targets: Sequence[str] = (),
        base: str | None = None,
        ca: str | None = None,
        pin: str | None = None,
        proxy: str | None = None,
        timeout: str | None = None,
        ports: Ports | None = None,
        own: dict[str, str | None] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        if not self.verify_certificate:
            raise ChannelError("verify=no 会让任何人冒充对方，不支持；自签证书请用 ca= 或 pin= 指定")
        self.ports = ports or Ports()
        self.targets = tuple(targets)
        self.client = Client(base or self.default_base, ca=ca, pin=pin, proxy=proxy, timeout=timeout)
        options = {"base": base, "ca": ca, "pin": pin, "proxy": proxy, "timeout": timeout, **(own or {})}
        self._given = {name: value for name, value in options.items() if value}

    @property
    def longest(self) -> float:
        """The longest one ``deliver`` can take, in seconds; a lease must outlast it."""
        return self.client.longest

    def deliver(self, message: Message) -> Outcome:
        """Sends one message, once. Whatever the provider or the network does ends in an outcome."""
        try:
            return self.attempt(message)
        except TransportError as error:
            return error.outcome

    def attempt(self, message: Message) -> Outcome:
        """The plugin's own part of :meth:`deliver`; may raise :class:`TransportError`."""
        raise NotImplementedError

    def send(self, body: str, title: str = "", *_args: Any, **kwargs: Any) -> bool:
        """Plain Apprise: one message to the targets of the URL, True only if all of them were taken."""
        form = Form.MARKDOWN if kwargs.get("body_format") == NotifyFormat.MARKDOWN else Form.TEXT
        outcome = self.deliver(Message(id=uuid.uuid4().hex, title=title, body=body, form=form))
        if not outcome.ok:
            self.logger.warning("%s: %s (%s)", self.service_name, outcome.kind, outcome.code)
        return outcome.ok

    def close(self) -> None:
        """Lets go of the kept connections."""
        self.client.close()

    def addressed(self, message: Message, address: str) -> tuple[list[tuple[Recipient, str]], list[str]]:
        """Recipients with what they are addressed by here, each address once; and the ids of those without."""
        found: dict[str, Recipient] = {}
        missing = []
        for person in message.to or self.named():
            at = getattr(person, address)
            if at:
                found.setdefault(at, person)
            else:
                missing.append(person.id)
        return [(person, at) for at, person in found.items()], missing

    def named(self) -> tuple[Recipient, ...]:
        """The targets of the URL, as recipients."""
        return tuple(Recipient(id=shown(name), wecom=name, phone=name) for name in self.targets)

    def given(self, name: str) -> str:
        """One option as the URL gave it, empty if it did not."""
        return self._given.get(name, "")

    def url(self, privacy: bool = False, *_args: Any, **_kwargs: Any) -> str:
        """The URL that opens this channel again; with ``privacy`` fit to be shown."""
        options = dict(self._given)
        if privacy and "proxy" in options:
            options["proxy"] = _without_login(options["proxy"])
        query = urlencode({**options, **self.url_parameters(privacy=privacy)}, quote_via=quote)
        who, secret = self.account
        host = quote(self.host or "", safe="")
        login = f"{quote(who, safe='')}:{MASK if privacy else quote(secret, safe='')}@" if who else ""
        if not who:
            host = MASK if privacy else host
        targets = "/".join(quote(shown(name) if privacy else name, safe="*") for name in self.targets)
        return f"{self.secure_protocol}://{login}{host}/{targets}?{query}"

    @property
    def account(self) -> tuple[str, str]:
        """Who we are to the provider, and the secret. Without a name the host part is the secret."""
        return self.user or "", self.password or ""

    @property
    def url_identifier(self) -> tuple[str, ...]:  # type: ignore[override]
        """What makes two URLs the same account, for Apprise."""
        return (str(self.secure_protocol), *self.account, self.host or "")

    @classmethod
    def parse_url(cls, url: str, *_args: Any, **_kwargs: Any) -> dict[str, Any] | None:
        """The constructor's arguments, ``None`` if it is no URL. The host part may be Chinese or empty."""
        found = NotifyBase.parse_url(url, verify_host=False)
        if not found:
            return None
        query = found["qsd"]
        found.update({name: query[name] for name in cls.options if query.get(name)})
        path = [unquote(name) for name in re.split(r"[/,]", found["fullpath"] or "")]
        found["targets"] = [name for name in (*path, *re.split(r"[\s,;|]", query.get("to", ""))) if name]
        return found


def _without_login(proxy: str) -> str:
    parts = urlsplit(proxy)
    return urlunsplit(parts._replace(netloc=f"{MASK}@{parts.netloc.rpartition('@')[2]}")) if parts.username else proxy
