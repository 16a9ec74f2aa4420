"""What is allowed in the config folder but hardly meant: said as warnings, nothing is refused for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations

from sla_service.domain.directory import ROLE_WORDS, Hall, Person
from sla_service.domain.findings import KIND_WORDS
from sla_service.domain.policy import MAIN_TARGET, Anchor, Kind, Policy, Role, Step, Target
from sla_service.services.config import CHANNELS, DIRECTORY, POLICY, Config
from sla_service.services.policy_timeline import timelines

_LEADERS = frozenset({Role.STATION_CHIEF, Role.BUREAU_LEADER, Role.JOINT_COMMITTEE})
_ANY_DAY = date(2001, 1, 1)  # on which nobody is absent
_SHOWN = 5  # names in one sentence
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
#: What a person needs so that a channel of this kind can reach him.
_NEEDS: Mapping[str, tuple[str, Callable[[Person], str | None]]] = {
    "wecomapp": ("wecom（企业微信账号）", lambda p: p.wecom),
    "yunmas": ("phone（手机号）", lambda p: p.phone),
    "alisms": ("phone（手机号）", lambda p: p.phone),
    "tencentsms": ("phone（手机号）", lambda p: p.phone),
}


def check(config: Config, variables: Collection[str] | None = None) -> list[str]:
    """Warnings, one sentence each. With ``variables`` (names that are set) the channels' ``${…}`` are looked up."""
    found: list[str] = []
    for hall in config.directory.halls:
        policy = config.policy_of(hall.id)
        where = (hall.policy or POLICY) if policy is not config.policy else POLICY
        found += [f"{where}：{text}" for text in check_policy(policy, config.channels)]
        found += [f"{DIRECTORY}：{text}" for text in (*_hall(config, hall, policy), *_unheard(config, hall, policy))]
    found += [f"{DIRECTORY}：{text}" for text in _people(config)]
    found += [f"{CHANNELS}：{text}" for text in _channels(config, variables)]
    for via in dict.fromkeys(name for d in config.digests for name in d.via if name not in config.channels):
        found.append(f"{POLICY}：digests 用了 {CHANNELS} 里没有的渠道 {via}。")
    found += [
        f"{POLICY}：calendar_watch 用了 {CHANNELS} 里没有的渠道 {via}。"
        for via in config.watch.via or ()
        if via not in config.channels
    ]
    return list(dict.fromkeys(found))


def check_policy(policy: Policy, channels: Collection[str] | None = None) -> list[str]:
    """Warnings about a policy by itself; with ``channels`` also about names that are no channel."""
    found: list[str] = []
    for target in policy.targets:
        if channels is not None:
            for name in dict.fromkeys(c for s in target.ladder for c in s.via if c not in channels):
                steps = "、".join(s.key for s in target.ladder if name in s.via)
                found.append(f"{target.name} 的 {steps} 用了 {CHANNELS} 里没有的渠道 {name}。")
        found += [
            f"{target.name} 的 {a.key} 给{_roles(same)}写了两次，会收到重复的提醒。"
            for a, b in combinations(target.ladder, 2)
            if (same := _twice(a, b))
        ]
    if channels is not None:
        found += [f"no_reply 用了 {CHANNELS} 里没有的渠道 {c}。" for c in policy.no_reply_via if c not in channels]
    return found + list(_main(policy)) + list(_never(policy))


def _never(policy: Policy) -> Iterator[str]:
    """Steps that lie before the receipt of every case of a kind."""
    for line in timelines(policy):
        if line.never:
            steps = "、".join(step.key for step in line.never)
            of = f"{KIND_WORDS[line.kind]}（时限 {line.limit}wd）"
            yield f"{line.target} 的 {steps} 对{of}早于受理，不会发；请用 kinds 限定。"


def _main(policy: Policy) -> Iterator[str]:
    target = policy.target(MAIN_TARGET)
    if target is None:
        return
    yield from _unled(target)
    if not any(s.before_breach and s.anchor is not Anchor.PAUSE_END for s in target.ladder):
        yield f"{target.name} 的阶梯在到期前没有任何提醒。"
    special = target.limits.get(Kind.SPECIAL, 0)
    if policy.cap_counts == "total" and special > policy.cap_days:
        yield f"special 的时限 {special}wd 超过延期上限 extension.cap_days {policy.cap_days}。"


def _unled(target: Target) -> Iterator[str]:
    """Kinds of which no leader ever hears when they have run out. Steps for single departments leave out the others."""
    after = [s for s in target.ladder if s.anchor is Anchor.BREACH and _LEADERS & set(s.to)]
    led = {kind for step in after if not step.departments for kind in step.kinds or target.limits}
    missing = [kind for kind in target.limits if kind not in led]
    if not missing:
        return
    which = "" if len(missing) == len(target.limits) else f"对{'、'.join(KIND_WORDS[k] for k in missing)}"
    only = "（只对个别科室到得了）" if any(step.departments for step in after) else ""
    yield (f"{target.name} 的阶梯在超期后{which}到不了领导（站长、局长或联合党委）{only}，超期可能一直没人督办。")


def _twice(a: Step, b: Step) -> list[str]:
    """The roles that both steps tell at the same moment about the same cases."""
    overlap = all(not x or not y or set(x) & set(y) for x, y in ((a.kinds, b.kinds), (a.departments, b.departments)))
    return [role for role in a.to if a.key == b.key and overlap and role in b.to and set(a.via) & set(b.via)]


def _hall(config: Config, hall: Hall, policy: Policy) -> Iterator[str]:
    directory = config.directory
    which = f"厅 {hall.id} 的" if len(directory.halls) > 1 else ""
    departments = [d for d in directory.departments if d.hall == hall.id]
    headless = [d.id for d in departments if not d.head]
    if headless:
        yield f"{which}{_some(headless)}没有 head（科长），发给科长的提醒会改发给别人。"
    used = dict.fromkeys(role for t in policy.targets for s in t.ladder for role in s.to)
    for role in used:
        if role in (Role.HANDLER, Role.SECTION_HEAD) or directory.roles.get((hall.id, role)):
            continue
        without = [d.id for d in departments if not d.leader]
        if role != Role.BUREAU_LEADER or not departments:
            yield f"{which}roles 里没有 {role}（{ROLE_WORDS[role]}），发给他的提醒会改发给上一级。"
        elif without:
            yield f"{which}{_some(without)}没有 leader（局长），roles 里也没有 {role}，提醒会改发给上一级。"
    named = dict.fromkeys(d for t in policy.targets for s in t.ladder for d in s.departments)
    for name in named:
        if directory.department(name, hall.id) is None:
            yield f"{which}阶梯里写的科室 {name} 不在通讯录里。"


def _unheard(config: Config, hall: Hall, policy: Policy) -> Iterator[str]:
    """Steps that find nobody on any way, and those whose receivers no channel of the step reaches."""
    which = f"厅 {hall.id} 的 " if len(config.directory.halls) > 1 else ""
    known: list[str | None] = [d.id for d in config.directory.departments if d.hall == hall.id]
    lost: dict[tuple[str, str], list[str]] = {}  # why, and for which departments -> steps
    for target, step, role in ((t, s, r) for t in policy.targets for s in t.ladder for r in s.to if r != Role.HANDLER):
        places: dict[str, list[str]] = {}
        for department in step.departments or known or [None]:
            why = _lost(config, step, role, department, hall.id)
            if why:
                places.setdefault(why, []).append(department or "")
        for why, where in places.items():
            partly = _some(where) if len(where) < len(known) else ""
            lost.setdefault((why, partly), []).append(f"{target.name} 的 {step.key}（{ROLE_WORDS[role]}）")
    for (why, partly), steps in lost.items():
        yield f"{which}{f'{partly}：' if partly else ''}{_some(steps)}没有人能收到，{why}。"


def _lost(config: Config, step: Step, role: str, department: str | None, hall: str) -> str:
    """Why nobody would receive it; empty if somebody does."""
    found = config.directory.receivers(
        role, handler=None, department=department, hall=hall, on=_ANY_DAY, before_breach=step.before_breach
    )
    if not found.people:
        return "这个岗位和替补的岗位都没有人"
    channels = [config.channels[name] for name in step.via if name in config.channels]
    needs = [_NEEDS.get(channel.scheme) for channel in channels]
    people = [person for person, _ in found.people]
    if not channels or any(need is None or need[1](person) for person in people for need in needs):
        return ""  # a channel that is not there is said elsewhere
    return f"{_some([p.name for p in people])}没有写 {'、'.join(dict.fromkeys(need[0] for need in needs if need))}"


def _people(config: Config) -> Iterator[str]:
    for name, channel in config.channels.items():
        what, has = _NEEDS.get(channel.scheme, ("", None))
        lacking = [p.name for p in config.directory.people if has is not None and not has(p)]
        if lacking:
            yield f"{_some(lacking)}没有 {what}，渠道 {name} 发不到。"
    for absence, day in config.directory.circles():
        yield f"{absence.who} 的代班人在 {day} 互相代班，提醒仍发给本人。"


def _channels(config: Config, variables: Collection[str] | None) -> Iterator[str]:
    if variables is None:
        return
    for name, channel in config.channels.items():
        for variable in dict.fromkeys(_VARIABLE.findall(channel.url)):
            if variable not in variables:
                yield f"渠道 {name} 用到的环境变量 {variable} 没有设置。"


def _roles(roles: Sequence[str]) -> str:
    return "、".join(ROLE_WORDS.get(r, r) for r in roles)


def _some(names: Sequence[str]) -> str:
    return "、".join(names[:_SHOWN]) + (f"等 {len(names)} 个" if len(names) > _SHOWN else "")
