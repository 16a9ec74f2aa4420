"""JSON files: whichever way they are written, one event at a time, and a bad one spoils only itself."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.errors import SlaError
from sla_service.services import json_rows
from sla_service.services.file_input import Kind, check_utf8, opened

EVENTS = [{"id": "1", "data": {"text": '括号 ] } , " \\ 引号'}}, {"id": "2", "data": {"x": [[], {}]}}, {"id": "3"}]


def rows(tmp_path, content, name="e.json"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with opened(str(path), io.BytesIO()) as found:
        check_utf8(found)
        return [(r.number, r.value, r.problem) for r in json_rows.rows(found)]


def good(*values):
    return [(n, value, "") for n, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(json.dumps(e, ensure_ascii=False) for e in EVENTS),
        "\r\n".join(json.dumps(e) for e in EVENTS) + "\r\n",
        json.dumps(EVENTS),
        json.dumps(EVENTS, indent=2, ensure_ascii=False),
        "\ufeff" + json.dumps(EVENTS),
        " \n\t" + json.dumps(EVENTS) + "\n\n",
    ],
    ids=["lines", "crlf", "array", "pretty array", "bom", "blanks around"],
)
def test_lines_and_arrays_give_the_same_events(tmp_path, text):
    assert rows(tmp_path, text) == good(*EVENTS)


@pytest.mark.parametrize("text", [json.dumps(EVENTS[0]), json.dumps(EVENTS[0], indent=2, ensure_ascii=False)])
def test_a_single_event_may_be_written_over_several_lines(tmp_path, text):
    assert rows(tmp_path, text) == good(EVENTS[0])


def test_a_bad_line_is_named_by_its_number_and_the_others_are_taken(tmp_path):
    found = rows(tmp_path, '{"id":"1"}\n\n{"id":}\nnot json\n{"id":"2"}')
    assert [(n, v) for n, v, _ in found] == [(1, {"id": "1"}), (3, '{"id":}'), (4, "not json"), (5, {"id": "2"})]
    assert found[1][2] == "这一条不是 JSON：第 7 个字符处读不下去。"


def test_a_bad_first_line_does_not_turn_the_rest_into_one_event(tmp_path):
    found = rows(tmp_path, '{"id":}\n{"id":"2"}')
    assert [(n, bool(p)) for n, _, p in found] == [(1, True), (2, False)]


def test_a_bad_event_over_several_lines_is_one_row(tmp_path):
    (found,) = rows(tmp_path, '{\n  "id": "1",\n  "data": \n}')
    assert found[2] == "这一条不是 JSON：第 4 行第 1 个字符处读不下去。"


def test_a_bad_element_is_named_by_its_number_and_the_others_are_taken(tmp_path):
    found = rows(tmp_path, '[{"id":"1"}, {bad}, , {"id":"2"}]')
    assert [(n, bool(p)) for n, _, p in found] == [(1, False), (2, True), (3, True), (4, False)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[{"id":"1"}, {"id":', "文件到这里就断了，数组没有以 ] 结束。"),
        ('[{"id":"1"}] x', "数组的 ] 之后还有内容。"),
    ],
)
def test_an_array_that_is_cut_off_or_goes_on_says_so_after_the_good_ones(tmp_path, text, problem):
    first, second = rows(tmp_path, text)
    assert first == (1, {"id": "1"}, "")
    assert second[2] == problem


def test_an_empty_array_and_an_empty_file_hold_nothing(tmp_path):
    assert rows(tmp_path, "[]") == rows(tmp_path, "[ \n ]") == []
    with opened(str(tmp_path / "e.json"), io.BytesIO()) as found:
        assert found.kind is Kind.JSON
    (tmp_path / "leer.jsonl").write_bytes(b"\xef\xbb\xbf \n")
    with opened(str(tmp_path / "leer.jsonl"), io.BytesIO()) as found:
        assert found.kind is Kind.EMPTY


def test_elements_may_end_anywhere_in_the_chunks_that_are_read(tmp_path, monkeypatch):
    text = json.dumps(EVENTS, ensure_ascii=False)
    for size in range(1, 30):
        monkeypatch.setattr(json_rows, "_CHUNK", size)
        assert rows(tmp_path, text) == good(*EVENTS), size


def test_what_has_no_end_is_not_read_into_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "MAX_EVENT", 1000)
    monkeypatch.setattr(json_rows, "_CHUNK", 100)
    found = rows(tmp_path, '[{"id":"1"}, {"id":"' + "x" * 5000)
    assert [(n, bool(p)) for n, _, p in found] == [(1, False), (2, True)]
    assert len(found[1][1]) <= 200
    found = rows(tmp_path, '{"id":"1"}\n' + "x" * 5000 + '\n{"id":"2"}\n', "e.jsonl")
    assert [(n, bool(p)) for n, _, p in found] == [(1, False), (2, True), (3, False)]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9999, 9999) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=4), VALUES, max_size=3), max_size=6), st.booleans())
def test_any_array_of_objects_is_read_as_json_reads_it(tmp_path_factory, values, pretty):
    text = json.dumps(values, ensure_ascii=pretty, indent=1 if pretty else None)
    folder = tmp_path_factory.mktemp("any")
    assert rows(folder, text.encode("utf-8", "surrogatepass") if pretty else text) == good(*values)


# -- what is no such file ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [
        ('{"id":"1"}\n{"id":"办"}'.encode("gbk"), 2, 19),
        (b'{"id":"\xff"}', 1, 8),
        (b'{"a":1}\n' * 300_000 + b'{"id":"\xb0\xec"}', 300_001, 2_400_008),
        ('{"id":"办'.encode()[:-1], 1, 8),
    ],
    ids=["gbk", "first line", "beyond a chunk", "cut off"],
)
def test_a_file_that_is_not_utf8_is_refused_by_its_first_bad_line(tmp_path, content, line, byte):
    with pytest.raises(SlaError) as refused:
        rows(tmp_path, content)
    text = f"e.json 第 {line} 行（第 {byte} 个字节）不是 UTF-8 编码，请另存为 UTF-8 再导入；什么都没有写入。"
    assert str(refused.value).endswith(text)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "a.xls",
            b"\xd0\xcf\x11\xe0" + b"\0" * 20,
            "是旧版 Excel（.xls）或加了密码的文件，请在 Excel 里另存为不加密的 .xlsx。",
        ),
        ("a.jsonl.gz", b"\x1f\x8b\x08\0", "是压缩文件，请先解压。"),
        ("a.bin", b"\0\1\2\3", "不是文本文件，能导入的有事件（JSON）和台账（CSV、XLSX）。"),
    ],
)
def test_what_the_door_does_not_take_is_said(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SlaError, match=r".") as refused, opened(str(tmp_path / name), io.BytesIO()):
        pass
    assert str(refused.value) == f"{tmp_path / name} {sentence}"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("e", '{"id":1}', Kind.JSON),
        ("e.txt", "\ufeff [1]", Kind.JSON),
        ("e.jsonl", "kaputt", Kind.JSON),
        ("t.csv", "[编号],受理时间", Kind.CSV),
        ("t.txt", "编号\t受理时间", Kind.CSV),
        ("t.csv", b"PK\x03\x04", Kind.XLSX),
    ],
)
def test_the_content_says_what_a_file_is_and_else_its_name(tmp_path, name, content, kind):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with opened(str(path), io.BytesIO()) as found:
        assert found.kind is kind


def test_standard_input_is_read_twice_from_a_copy_that_goes_away(tmp_path):
    with opened("-", io.BytesIO(b'{"id":"1"}')) as found:
        check_utf8(found)
        assert [r.value for r in json_rows.rows(found)] == [{"id": "1"}]
        assert (found.shown, found.size) == ("标准输入", 10)
        copy = found.path
    assert not copy.exists()
