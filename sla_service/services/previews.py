"""What a message would look like: a template filled with sample cases, and how long it is on each channel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from sla_service.delivery import samples
from sla_service.delivery.render import Item, Words
from sla_service.delivery.text import byte_length, sms_parts
from sla_service.delivery.wording import DigestKind, Lang
from sla_service.errors import NotFoundError, UsageError
from sla_service.services.config import ChannelConf, Config
from sla_service.services.envelopes import template_values
from sla_service.services.sending_limits import SMS
from sla_service.services.standing import SPOKEN

Digest = Literal["staff", "leader", "weekly", "committee"]
DIGESTS: Final[tuple[Digest, ...]] = ("staff", "leader", "weekly", "committee")
WORDS: Final = (*SPOKEN, "no_reply")
#: Bytes beyond which a channel cuts a message short.
LIMITS: Final[Mapping[str, int]] = {"wecomapp": 2048, "wecomgroup": 2048}
_STEP: Final = re.compile(r"(due|breach|pause_end)([+-]\d+wd)?( \d\d:\d\d)?|\d{1,3}%")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which message: of a step, about one case or several, or a digest; on one channel or all."""

    step: str = "due-1wd"
    many: bool = False
    digest: Digest | None = None
    channel: str | None = None
    lang: Lang = "zh"


def previews(config: Config, wanted: Wanted) -> list[dict[str, Any]]:
    """The message on each channel: template, title, body, bytes, limit, sms_parts, the provider's template if any."""
    if wanted.channel is not None and wanted.channel not in config.channels:
        raise NotFoundError(f"没有渠道 {wanted.channel}，有 {'、'.join(config.channels)}。")
    if not _STEP.fullmatch(wanted.step) and wanted.step not in WORDS:
        known = "、".join([*steps(config), *WORDS])
        raise UsageError(f"没有步骤 {wanted.step}，可以写 {known}。")
    names = [wanted.channel] if wanted.channel is not None else list(config.channels)
    return [_preview(config, name, wanted) for name in names]


def steps(config: Config) -> list[str]:
    """The steps of the policy's ladders, as they are written there."""
    policies = (config.policy, *config.policies.values())
    return list(dict.fromkeys(s.key for policy in policies for target in policy.targets for s in target.ladder))


def _preview(config: Config, channel: str, wanted: Wanted) -> dict[str, Any]:
    conf = config.channels[channel]
    name, items, made = _digest(config, channel, wanted) if wanted.digest else _message(config, channel, wanted)
    text = f"{made.title}\n{made.body}"
    limit = LIMITS.get(conf.scheme)
    size = byte_length(text)
    return {
        "channel": channel,
        "kind": conf.scheme,
        "template": name,
        "title": made.title,
        "body": made.body,
        "bytes": size,
        "limit": limit,
        "too_long": limit is not None and size > limit,
        "sms_parts": sms_parts(text, _signature(conf)),
        "sms": _provider(template_values(config, channel, items, wanted.lang)) if items else None,
    }


def _message(config: Config, channel: str, wanted: Wanted) -> tuple[str, Sequence[Item], Words]:
    items = samples.of_step(wanted.step, many=wanted.many)
    kind = "many" if wanted.many else "one"
    made = config.wording.words(items, channel=channel, lang=wanted.lang)
    return config.wording.name(kind, channel, {wanted.step}) or f"{kind}.j2", items, made


def _digest(config: Config, channel: str, wanted: Wanted) -> tuple[str, Sequence[Item], Words]:
    kind: DigestKind = "digest_staff" if wanted.digest == "staff" else "digest_leader"
    committee = wanted.digest == "committee"
    items, counted = samples.digest(
        kind, weekly=committee or wanted.digest == "weekly", committee=committee, lang=wanted.lang
    )
    made = config.wording.digest(kind, items, counted, channel=channel, lang=wanted.lang)
    return config.wording.name(kind, channel, set()) or f"{kind}.j2", items, made


def _provider(filled: Mapping[str, Any]) -> dict[str, Any] | None:
    """The provider's template and what its variables are filled with."""
    if not filled:
        return None
    given = filled["values"]
    names = filled["names"] or [str(n) for n in range(1, len(given) + 1)]
    return {
        "id": filled["template"],
        "values": dict(zip(names, given, strict=True)),
        "characters": sum(map(len, given)),
    }


def _signature(conf: ChannelConf) -> str:
    """What stands before every SMS, where the URL says so in words; elsewhere the provider adds it by its number."""
    if conf.scheme not in SMS:
        return ""
    parts = urlsplit(conf.url)
    if conf.scheme == "alisms":
        return unquote(parts.netloc.rpartition("@")[2])
    return parse_qs(parts.query).get("sign", [""])[0] if conf.scheme == "tencentsms" else ""
