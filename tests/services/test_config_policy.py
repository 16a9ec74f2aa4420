"""policy.yaml: what it means, and the sentence for each way of getting it wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.domain.policy import Anchor, Hours, Policy, Step, Target
from sla_service.services.config import default_text, parse_policy, policy_from_dict, policy_to_dict
from sla_service.services.config_policy import versioned

LEAST = """\
targets:
  resolve:
    starts: case.accepted
    stops: case.closed
    limits: {simple: 3wd, complex: 10wd, special: 15wd}
    ladder:
      - {at: breach, to: station_chief, via: wecom}
"""


def step(words: str) -> Step:
    policy = parse_policy(LEAST.replace("at: breach, to: station_chief, via: wecom", words), "p")
    return policy.targets[0].ladder[0]


def test_the_shipped_policy_is_the_contracts() -> None:
    policy = parse_policy(default_text("policy.yaml"), "policy.yaml")
    assert policy == replace(Policy(version=policy.version, targets=policy.targets), version=policy.version), (
        "every switch stands at its default"
    )
    (resolve,) = policy.targets
    assert resolve.limits == {"simple": 3, "complex": 10, "special": 15}
    assert resolve.yellow == {"simple": 1, "complex": 3, "special": 5}
    assert [(s.key, *s.to) for s in resolve.ladder] == [
        ("due-5wd", "handler"),
        ("due-3wd", "handler"),
        ("due-1wd", "handler"),
        ("due-0wd", "handler"),
        ("due-0wd 14:00", "section_head"),
        ("breach", "handler", "section_head"),
        ("breach+2wd", "station_chief"),
        ("breach+3wd", "bureau_leader"),
        ("breach+5wd", "station_chief", "bureau_leader"),
        ("pause_end", "handler"),
        ("pause_end+1wd", "section_head"),
    ]
    assert [s.key for s in resolve.ladder if s.all] == ["breach"]
    assert [(s.key, s.repeat) for s in resolve.ladder if s.repeat] == [("breach+5wd", 5)]
    assert [s.kinds for s in resolve.ladder][:3] == [("special",), ("complex", "special"), ()]


def test_every_passage_in_comments_can_be_switched_on() -> None:
    text = default_text("policy.yaml")
    opened, inside = "", False
    for line in text.splitlines(keepends=True):
        inside = line.lstrip().startswith("# " if inside else ("# sign:", "# follow_up:", "# digests:"))
        opened += line.replace("# ", "", 1) if inside else line
    for block in ("sign:", "follow_up:", "digests:"):
        assert re.search(rf"^\s*{block}", opened, re.MULTILINE), block
    policy = parse_policy(opened, "policy.yaml")
    assert [t.name for t in policy.targets] == ["resolve", "sign", "follow_up"]
    assert policy.targets[1].limits == {"simple": 1, "complex": 1, "special": 1}


def test_the_least_that_has_to_be_written_is_one_target() -> None:
    policy = parse_policy(LEAST, "policy.yaml")
    assert (policy.hours, policy.send_window, policy.pause_days) == (Hours(510, 1050), "working_hours", 5)
    assert policy.targets[0].yellow == {}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("at: due-3wd, to: handler, via: a", Step("due-3wd", Anchor.DUE, ("handler",), ("a",), -3)),
        ("at: due, to: handler, via: a", Step("due", Anchor.DUE, ("handler",), ("a",))),
        (
            "at: 'due-0wd  14:00', to: [duty], via: [a]",
            Step("due-0wd 14:00", Anchor.DUE, ("duty",), ("a",), 0, minute=840),
        ),
        ("at: breach+2wd, to: handler, via: [a, b]", Step("breach+2wd", Anchor.BREACH, ("handler",), ("a", "b"), 2)),
        ("at: pause_end-1wd, to: handler, via: a", Step("pause_end-1wd", Anchor.PAUSE_END, ("handler",), ("a",), -1)),
        ("at: 50%, to: handler, via: a", Step("50%", Anchor.SHARE, ("handler",), ("a",), share=0.5)),
        (
            "at: 75% 9:00, to: handler, via: a",
            Step("75% 9:00", Anchor.SHARE, ("handler",), ("a",), share=0.75, minute=540),
        ),
        (
            (
                "at: breach, to: handler, via: a, all: true, kinds: simple, departments: [甲], repeat: 2wd,"
                " until: acknowledged, window: always"
            ),
            Step(
                "breach",
                Anchor.BREACH,
                ("handler",),
                ("a",),
                all=True,
                kinds=("simple",),
                departments=("甲",),
                repeat=2,
                until="acknowledged",
                window="always",
            ),
        ),
    ],
)
def test_a_step_is_read_as_it_is_written(words: str, expected: Step) -> None:
    assert step(words) == expected


def test_the_end_of_the_day_may_be_the_close_of_business() -> None:
    assert parse_policy('hours: {open: "00:00", close: "24:00"}\n' + LEAST, "p").hours == Hours(0, 1440)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert parse_policy(b"\xef\xbb\xbf" + LEAST.encode(), "p") == parse_policy(LEAST, "p")


def test_the_version_follows_the_content_not_the_writing() -> None:
    first = parse_policy(LEAST, "a.yaml")
    assert re.fullmatch(r"[0-9a-f]{12}", first.version)
    assert parse_policy("# a comment\nreopen: restart\n" + LEAST, "b.yaml") == first
    assert parse_policy(LEAST.replace("3wd", "4wd"), "a.yaml").version != first.version


_days = st.integers(1, 15)
_steps = st.builds(
    Step,
    key=st.text(min_size=1, max_size=9),
    anchor=st.sampled_from(Anchor),
    to=st.lists(st.sampled_from(["handler", "duty"]), min_size=1).map(tuple),
    via=st.lists(st.text(max_size=5), min_size=1).map(tuple),
    offset=st.integers(-20, 20),
    share=st.floats(0, 1),
    minute=st.none() | st.integers(0, 1439),
    all=st.booleans(),
    kinds=st.lists(st.sampled_from(["simple", "special"])).map(tuple),
    departments=st.lists(st.text(max_size=5)).map(tuple),
    repeat=st.none() | _days,
    until=st.sampled_from(["closed", "acknowledged"]),
    window=st.sampled_from([None, "always", "working_hours"]),
)
_targets = st.builds(
    Target,
    name=st.sampled_from(["resolve", "sign"]),
    starts=st.just(("case.accepted",)),
    stops=st.just(("case.closed", "case.merged")),
    limits=st.dictionaries(st.sampled_from(["simple", "complex", "special"]), _days),
    yellow=st.dictionaries(st.sampled_from(["simple", "complex", "special"]), _days),
    ladder=st.lists(_steps, max_size=3).map(tuple),
)


@given(
    st.builds(
        Policy,
        version=st.just(""),
        targets=st.lists(_targets, max_size=2).map(tuple),
        hours=st.builds(Hours, st.integers(0, 600), st.integers(601, 1440)),
        cap_days=_days,
        no_reply_via=st.lists(st.text(max_size=5), min_size=1).map(tuple),
    )
)
def test_a_kept_policy_comes_back_as_it_was(policy: Policy) -> None:
    import json

    kept = json.loads(json.dumps(policy_to_dict(versioned(policy))))
    again = policy_from_dict(kept)
    assert again == versioned(policy)
    assert versioned(again).version == again.version


def test_a_policy_kept_by_an_older_release_takes_defaults_for_what_came_later() -> None:
    kept = policy_to_dict(parse_policy(LEAST, "p"))
    del kept["no_reply_via"], kept["pause_days"]
    kept["gone_since"] = 1
    assert policy_from_dict(kept) == parse_policy(LEAST, "p")
