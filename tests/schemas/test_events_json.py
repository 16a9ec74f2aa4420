"""Bytes as JSON, strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from event_samples import NOW, event, problem
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import NotJson, parse, parse_json


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "正文不是 JSON：第 1 行第 1 个字符处读不下去。"),
        (b'{"a":1,}', "正文不是 JSON：第 1 行第 8 个字符处读不下去。"),
        (b'{"a":NaN}', "JSON 里没有 NaN 这个值，请改成数字或 null。"),
        (b"[-Infinity]", "JSON 里没有 -Infinity 这个值，请改成数字或 null。"),
        (b"[1e999]", "数字 1e999 超出了能表示的范围。"),
        (b"[" + b"1" * 5000 + b"]", "正文里有位数过多的整数。"),
        (b"[" * 100_000, "正文的 JSON 嵌套太深。"),
        ('{"a":"中文"}'.encode("gbk"), "正文不是 UTF-8 编码（第 7 个字节），请用 UTF-8 发送。"),
        (b'{"a":"\n"}', "正文不是 JSON：第 1 行第 7 个字符处读不下去。"),
        (b'{"a":1} x', "正文不是 JSON：第 1 行第 9 个字符处读不下去。"),
    ],
)
def test_what_is_not_json_is_refused_as_a_whole(raw: bytes, sentence: str) -> None:
    with pytest.raises(NotJson) as refused:
        parse_json(raw)
    assert refused.value.problem == sentence


def test_a_byte_order_mark_is_skipped_and_text_is_read_as_well() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a":1}') == parse_json('{"a":1}') == {"a": 1}


def test_a_repeated_key_spoils_only_the_event_that_holds_it() -> None:
    good = json.dumps(event("case.resumed"))
    bad = good.replace('"data": {}', '"data": {"x": 1, "y": {"a": 1, "a": 1}}')
    twice = good.replace('"id": "e-1"', '"id": "e-1", "id": "e-2"')
    first, second, third = parse_json(f"[{good},{bad},{twice}]")
    assert parse(first, now=NOW).id == "e-1"
    assert problem(second) == ("data.y.a", "data.y.a 写了两次，请只写一次。")
    assert problem(third) == ("id", '"id" 在事件里写了两次，请只写一次。')


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(_json)
def test_any_json_value_is_read_back_as_it_was(value: Any) -> None:
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        return
    assert parse_json(text) == value


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_refused_with_a_sentence(raw: bytes) -> None:
    try:
        parse_json(raw)
    except NotJson as refused:
        assert refused.problem.endswith("。")  # noqa: PT017 (most bytes are refused, some are JSON)
