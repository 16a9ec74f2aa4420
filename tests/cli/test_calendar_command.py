"""sla calendar: a preview changes nothing, --apply is done when it returns, other commands count by it."""

from __future__ import annotations

import json

from notices import BRIDGED_2027


def test_an_import_previews_until_it_is_told_to_apply(both):
    both.write("2027.txt", BRIDGED_2027)
    said = both("calendar", "import", "2027.txt").out
    assert "2027 年：暂定，通知尚未公布 → 已公布" in said
    assert "2027-01-09 周六" in said
    assert "以上是预览，什么都没有改" in said
    assert "2027-01-12" in both("due", "2026-12-28", "--days", "10").out
    done = json.loads(both("calendar", "import", "2027.txt", "--apply", "--json").out)
    assert done["applied"]
    assert list(done["versions"]) == ["main"]
    assert "2027-01-11" in both("due", "2026-12-28", "--days", "10").out
    assert "日历没有变化" in both("calendar", "import", "2027.txt", "--apply").out


def test_a_contradiction_is_one_sentence_that_names_it_and_changes_nothing(both):
    wrong = BRIDGED_2027.replace("放假，共3天。1月9日", "放假，共4天。1月9日")
    both.write("2027.txt", wrong)
    said = both("calendar", "import", "2027.txt", "--apply")
    assert said.code == 1
    assert "原文写“共4天”，列出的却是 3 天" in said.err
    assert said.err.count("\n") == 1


def test_a_layer_is_listed_and_can_be_withdrawn(both):
    both.write("2027.txt", BRIDGED_2027)
    both("calendar", "import", "2027.txt", "--apply")
    status = json.loads(both("calendar", "status", "--json").out)
    layer = status["layers"][-1]
    assert (status["settled_until"], layer["rank"], layer["document"]) == (2027, "通知", "国办发明电〔2026〕98号")
    both("calendar", "withdraw", str(layer["id"]), "--apply")
    assert json.loads(both("calendar", "status", "--json").out)["settled_until"] == 2026


def test_a_day_by_order_needs_a_reason_and_is_previewed_first(both):
    assert both("calendar", "day", "2026-12-24", "off").code == 2
    both("calendar", "day", "2026-12-24", "off", "--name", "系统切换")
    assert "要上班" in both("calendar", "day", "2026-12-24").out
    both("calendar", "day", "2026-12-24", "off", "--name", "系统切换", "--apply")
    said = both("calendar", "day", "2026-12-24").out
    assert "放假（系统切换），不上班" in said


def test_a_year_can_be_exported_as_a_calendar_file(both):
    raw = both("calendar", "export", "2026").raw
    assert raw.startswith(b"BEGIN:VCALENDAR\r\n")
    assert "SUMMARY:国庆节（休）" in raw.decode()
