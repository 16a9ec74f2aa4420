"""Policies: from the file to the domain's frozen value, and to and from the form in which versions are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from schemas.files import Document, FileProblems, read
from schemas.policy import KINDS, PolicyFile, StepFile, TargetFile, check, targets
from sla_service.domain.policy import Anchor, Hours, Policy, Step, Target
from sla_service.errors import ConfigError

_VERSION_LENGTH = 12  # hex digits: 48 bits, for a handful of versions in the life of a hall


def parse_policy(text: str | bytes, name: str) -> Policy:
    """The policy that the YAML ``text`` describes; ConfigError lists everything wrong, each ``name:line: …``."""
    try:
        return from_file(load(read(text, name)))
    except FileProblems as e:
        raise ConfigError(str(e)) from None


def load(document: Document) -> PolicyFile:
    """Raises FileProblems."""
    return document.load(PolicyFile, check)


def from_file(file: PolicyFile) -> Policy:
    """The file's rules as the domain's value, with its version."""
    policy = Policy(
        version="",
        targets=tuple(_target(name, target) for name, target in targets(file)),
        hours=Hours(file.hours.open, file.hours.close),
        send_window=file.send_window,
        non_working_receipt=file.non_working_receipt,
        unclassified_as=file.unclassified_as,
        reclassify_from=file.reclassify_from,
        reopen=file.reopen,
        cap_days=file.extension.cap_days,
        cap_counts=file.extension.cap_counts,
        pause_days=file.pause_days,
        no_reply_via=tuple(file.no_reply.via),
    )
    return versioned(policy)


def versioned(policy: Policy) -> Policy:
    """``policy`` with the hash of its content as its version: comments and order of keys make no new one."""
    content = json.dumps({**policy_to_dict(policy), "version": ""}, sort_keys=True, ensure_ascii=False)
    return replace(policy, version=hashlib.sha256(content.encode()).hexdigest()[:_VERSION_LENGTH])


def policy_to_dict(policy: Policy) -> dict[str, Any]:
    """JSON-ready, everything in it; ``policy_from_dict`` gives the same policy again."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(policy), default=dict))
    return plain


def policy_from_dict(content: Mapping[str, Any]) -> Policy:
    """A policy as it was kept. Fields that came later than the version take their defaults."""
    known = {f.name for f in fields(Policy)} - {"targets", "hours"}
    plain = {name: _frozen(value) for name, value in content.items() if name in known}
    return Policy(
        targets=tuple(_kept_target(t) for t in content["targets"]),
        hours=Hours(**content["hours"]),
        **plain,
    )


def _kept_target(content: Mapping[str, Any]) -> Target:
    ladder = tuple(_kept_step(s) for s in content["ladder"])
    return Target(**{**{k: _frozen(v) for k, v in content.items()}, "ladder": ladder})


def _kept_step(content: Mapping[str, Any]) -> Step:
    plain = {name: _frozen(value) for name, value in content.items()}
    return Step(**{**plain, "anchor": Anchor(content["anchor"])})


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _target(name: str, file: TargetFile) -> Target:
    yellow = {kind: getattr(file.yellow, kind) for kind in KINDS}
    return Target(
        name=name,
        starts=tuple(file.starts),
        stops=tuple(file.stops),
        limits={kind: getattr(file.limits, kind) for kind in KINDS},
        yellow={kind: days for kind, days in yellow.items() if days is not None},
        ladder=tuple(_step(step) for step in file.ladder),
    )


def _step(file: StepFile) -> Step:
    at = file.at
    return Step(
        key=at.key,
        anchor=Anchor(at.anchor),
        to=tuple(file.to),
        via=tuple(file.via),
        offset=at.offset,
        share=at.share / 100,
        minute=at.minute,
        all=file.all,
        kinds=tuple(file.kinds or ()),
        departments=tuple(file.departments or ()),
        repeat=file.repeat,
        until=file.until,
        window=file.window,
    )
