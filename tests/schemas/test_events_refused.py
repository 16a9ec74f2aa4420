"""Events at the border: what is refused, by which name and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from event_samples import NOW, event, problem

from schemas.event_data import DATA


@pytest.mark.parametrize(
    ("over", "field", "sentence"),
    [
        ({"specversion": ...}, "specversion", 'specversion 要写 "1.0"，现在没有写。'),
        ({"specversion": 1.0}, "specversion", 'specversion 要写 "1.0"，收到的是 1.0。'),
        ({"specversion": "0.3"}, "specversion", 'specversion 要写 "1.0"，收到的是 "0.3"。'),
        ({"id": ...}, "id", "id 要是非空的字符串，现在没有写。"),
        ({"id": 17}, "id", "id 要是非空的字符串，收到的是 17。"),
        ({"id": ""}, "id", 'id 要是非空的字符串，收到的是 ""。'),
        ({"id": "x" * 201}, "id", "id 最长 200 个字符，收到 201 个。"),
        ({"id": "a\nb"}, "id", "id 里有控制字符或不成对的代理字符，请去掉。"),
        ({"source": "h\ud800"}, "source", "source 里有控制字符或不成对的代理字符，请去掉。"),
        ({"source": None}, "source", "source 要是非空的字符串，现在没有写。"),
        ({"subject": ...}, "subject", "subject 要是非空的字符串，现在没有写。"),
        ({"subject": "A-1 "}, "subject", 'subject 前后不能有空格，收到的是 "A-1 "。'),
        ({"subject": "\u3000"}, "subject", 'subject 前后不能有空格，收到的是 "\u3000"。'),
        ({"type": ...}, "type", "type 要写事件类型，例如 case.accepted，现在没有写。"),
        ({"type": ["case.closed"]}, "type", "type 要写事件类型，例如 case.accepted，收到的是 一个列表。"),
        ({"type": "case.close"}, "type", 'type 里的 "case.close" 不是认识的事件类型，是不是 case.closed？'),
        (
            {"type": "x"},
            "type",
            'type 里的 "x" 不是认识的事件类型，可用的有 ' + "、".join(DATA) + "。",
        ),
        (
            {"time": ...},
            "time",
            "time 要写带时区的时间，例如 2026-11-20T10:12:00+08:00，现在没有写。",
        ),
        (
            {"time": "2026-11-20T10:12:00"},
            "time",
            'time 要写带时区的时间，例如 2026-11-20T10:12:00+08:00，收到的是 "2026-11-20T10:12:00"。',
        ),
        (
            {"time": "2026-02-30T10:12:00Z"},
            "time",
            'time 要写带时区的时间，例如 2026-11-20T10:12:00+08:00，收到的是 "2026-02-30T10:12:00Z"。',
        ),
        (
            {"time": 1763600000},
            "time",
            "time 要写带时区的时间，例如 2026-11-20T10:12:00+08:00，收到的是 1763600000。",
        ),
        (
            {"time": "2026-11-20T10:40:01+08:00"},
            "time",
            'time 比现在晚 11 分钟（最多 10 分钟），请检查发送方的时钟，收到的是 "2026-11-20T10:40:01+08:00"。',
        ),
        (
            {"time": "1999-12-31T23:59:59+08:00"},
            "time",
            'time 要在 2000 年到 2199 年之间，收到的是 "1999-12-31T23:59:59+08:00"。',
        ),
        (
            {"time": "0001-01-01T00:00:00+08:00"},
            "time",
            'time 要在 2000 年到 2199 年之间，收到的是 "0001-01-01T00:00:00+08:00"。',
        ),
        ({"data": []}, "data", "data 要是一个 JSON 对象，收到的是 一个列表。"),
        ({"data": "{}"}, "data", 'data 要是一个 JSON 对象，收到的是 "{}"。'),
        ({"data_base64": "e30="}, "data_base64", "请把内容作为 JSON 对象写在 data 里，不用 data_base64。"),
    ],
)
def test_an_envelope_that_does_not_fit_is_refused_by_the_name_of_its_attribute(
    over: dict[str, object], field: str, sentence: str
) -> None:
    assert problem(event(**over)) == (field, sentence)


_ROLES = "要写 handler、section_head、station_chief、bureau_leader、joint_committee 或 duty"
_REASONS = "要写 hearing、tender、auction、inspection、test、quarantine、appraisal、expert_review、supplement 或 other"
_WHEN = "要写带时区的时间（2026-11-20T10:12:00+08:00）或日期（2026-11-20）"


@pytest.mark.parametrize(
    ("type_", "data", "field", "sentence"),
    [
        (
            "case.accepted",
            {"kind": "urgent"},
            "data.kind",
            'data.kind 要写 simple、complex 或 special，收到的是 "urgent"。',
        ),
        ("case.accepted", {"title": 5}, "data.title", "data.title 要是字符串。"),
        ("case.accepted", {"title": "长" * 501}, "data.title", "data.title 最长 500 个字符。"),
        ("case.accepted", {"handler": ["a"]}, "data.handler", "data.handler 要是字符串。"),
        ("case.accepted", {"applicant": "赵六"}, "data.applicant", "data.applicant 要是一个对象。"),
        ("case.accepted", {"applicant": {"phone": 138}}, "data.applicant.phone", "data.applicant.phone 要是字符串。"),
        (
            "case.accepted",
            {"labels": [1]},
            "data.labels",
            "data.labels 要是字符串的列表（最多 50 个，每个最长 100 个字符）。",
        ),
        (
            "case.accepted",
            {"wanted_by": "2026-11-31"},
            "data.wanted_by",
            f'data.wanted_by {_WHEN}，收到的是 "2026-11-31"。',
        ),
        (
            "case.accepted",
            {"limit_days": "15"},
            "data.limit_days",
            'data.limit_days 要是整数，收到的是 "15"。',
        ),
        ("case.classified", {}, "data.kind", "data.kind 必填，要写 simple、complex 或 special。"),
        ("case.classified", {"kind": None}, "data.kind", "data.kind 要写 simple、complex 或 special，收到的是 null。"),
        (
            "case.classified",
            {"kind": "Simple"},
            "data.kind",
            'data.kind 要写 simple、complex 或 special，收到的是 "Simple"。',
        ),
        ("case.assigned", {}, "data", "data 里 department 和 handler 至少要写一个。"),
        ("case.assigned", {"handler": " "}, "data", "data 里 department 和 handler 至少要写一个。"),
        ("case.extended", {"reason": "x"}, "data", "data 里 limit_days 和 until 至少要写一个。"),
        ("case.extended", {"limit_days": 0}, "data.limit_days", "data.limit_days 不能小于 1，收到的是 0。"),
        (
            "case.extended",
            {"limit_days": 10**5000},
            "data.limit_days",
            "data.limit_days 不能大于 1000，收到的是 一个过大的数。",
        ),
        ("case.extended", {"limit_days": 1.5}, "data.limit_days", "data.limit_days 要是整数，收到的是 1.5。"),
        ("case.extended", {"limit_days": True}, "data.limit_days", "data.limit_days 要是整数，收到的是 true。"),
        ("case.extended", {"until": "9999-12-31"}, "data.until", f'data.until {_WHEN}，收到的是 "9999-12-31"。'),
        (
            "case.escalated",
            {"to": "boss"},
            "data.to",
            f'data.to {_ROLES}，收到的是 "boss"。',
        ),
        (
            "case.paused",
            {},
            "data.reason",
            f"data.reason 必填，{_REASONS}。",
        ),
        (
            "case.paused",
            {"reason": "other", "expected_until": "2026-11-20T10:00:00"},
            "data.expected_until",
            f'data.expected_until {_WHEN}，收到的是 "2026-11-20T10:00:00"。',
        ),
        ("case.reset", {}, "data.reason", "data.reason 必填，要写文字。"),
        ("case.reset", {"reason": "  "}, "data.reason", 'data.reason 不能是空白，收到的是 "  "。'),
        (
            "case.closed",
            {},
            "data.outcome",
            "data.outcome 必填，要写 resolved、explained、transferred 或 withdrawn。",
        ),
        (
            "case.followed_up",
            {"satisfied": "yes"},
            "data.satisfied",
            'data.satisfied 要是 true 或 false，收到的是 "yes"。',
        ),
        ("case.merged", {}, "data.into", "data.into 必填，要写文字。"),
        ("event.voided", {"event_id": ""}, "data.event_id", "data.event_id 不能是空白。"),
        ("visit.answered", {"count": -1}, "data.count", "data.count 不能小于 0，收到的是 -1。"),
        ("case.urged", {"x": "a\x00b"}, "data.x", "data.x 里有 U+0000 字符，请去掉。"),
        ("case.urged", {"\x00": 1}, "data 的字段名", "data 的字段名 里有 U+0000 字符，请去掉。"),
        (
            "case.urged",
            {"x": [{"y": "\udc00"}]},
            "data.x[0].y",
            "data.x[0].y 里有不成对的 UTF-16 代理字符，请按完整的 Unicode 字符发送。",
        ),
        ("case.urged", {"x": float("nan")}, "data.x", "data.x 不是 JSON 能表示的值。"),
        ("case.urged", {"x": {1: 2, "a": 3}}, "data.x", "data.x 的字段名要是字符串。"),
        ("case.urged", {"x": {"y": NOW}}, "data.x.y", "data.x.y 不是 JSON 能表示的值。"),
    ],
)
def test_data_that_does_not_fit_is_refused_by_path_with_what_to_send(
    type_: str, data: dict[str, object], field: str, sentence: str
) -> None:
    assert problem(event(type_, data)) == (field, sentence)


def test_what_is_no_object_is_no_event() -> None:
    for raw in (None, 1, "x", [event()], b"{}"):
        assert problem(raw) == ("$", "一个事件要是一个 JSON 对象（CloudEvents 1.0）。")


def test_personal_data_is_not_repeated_in_the_refusal() -> None:
    for data in ({"applicant": {"name": 5, "phone": "13800000000"}}, {"applicant": {"phone": "1" * 51}}):
        assert "138" not in problem(event(data=data))[1]
        assert "111" not in problem(event(data=data))[1]


def test_nesting_has_a_limit_that_hits_only_its_own_event() -> None:
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    assert problem(event(data={"x": deep})) == ("data", "data 的嵌套超过 32 层。")
