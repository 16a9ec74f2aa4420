"""Templates: what the shipped ones say, which file is taken, and what is refused before it is sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from sla_service.delivery.render import Item
from sla_service.delivery.samples import samples
from sla_service.delivery.template_check import problems
from sla_service.delivery.wording import Wording
from sla_service.errors import ConfigError
from sla_service.services.config import load_config, write_defaults

ONE = Item("hall", "BBC-1", "诊所名称核准", "due-1wd", "handler", "simple", date(2026, 11, 25), 1, False)
ONE = replace(ONE, handler="张三", department="社会事务科")
LATE = replace(ONE, no="BBC-2", step="breach+2wd", role="station_chief", left=-2, overdue=True)


def test_one_case_is_told_in_full():
    words = Wording().words([ONE], channel="wecom")
    assert words.title == "【即将到期】BBC-1"
    assert words.body.splitlines() == [
        "诊所名称核准",
        "还剩 1 个工作日，11月25日（周三）到期。",
        "请在到期前办结并答复当事人；需要更长时间的，请在到期前办理延期。",
        "承办 张三 · 社会事务科 · 简单事项",
    ]


def test_several_are_a_list_red_first():
    words = Wording().words([ONE, LATE], channel="wecom")
    assert words.title == "【办件提醒】1 件超期，1 件待办"
    assert words.body.splitlines() == [
        "● BBC-2 诊所名称核准（张三）：已超期 2 个工作日",
        "○ BBC-1 诊所名称核准：还剩 1 个工作日",
    ]


def test_a_long_list_says_how_many_it_leaves_out():
    words = Wording().words([replace(ONE, no=f"C{n:02}") for n in range(20)], channel="wecom")
    assert words.body.splitlines()[-1] == "…… 另有 8 件"


def test_english_by_setting():
    words = Wording().words([LATE], channel="wecom", lang="en")
    assert words.title == "[Overdue] BBC-2"
    assert "Overdue by 2 working days, was due Wed 25 Nov." in words.body
    assert Wording().words([ONE, LATE], channel="wecom", lang="en").title == "[Cases] 1 overdue, 1 open"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_sample_has_a_title_and_words_in_both_languages(lang):
    for items in [*samples(many=False), *samples(many=True)]:
        words = Wording().words(items, channel="sms", lang=lang)
        assert words.title
        assert words.body
        assert "None" not in words.title + words.body


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["one.j2"], "one.j2"),
        (["one.j2", "breach.one.j2"], "breach.one.j2"),
        (["breach.one.j2", "breach+2wd.one.j2"], "breach+2wd.one.j2"),
        (["breach+2wd.one.j2", "sms.one.j2"], "sms.one.j2"),
        (["sms.one.j2", "sms.breach.one.j2"], "sms.breach.one.j2"),
        (["due.one.j2", "wecom.one.j2", "many.j2"], None),
    ],
)
def test_the_most_specific_file_is_taken(files, taken):
    wording = Wording({name: f"{name} {{{{ item.no }}}}" for name in files})
    assert wording.name("one", "sms", {"breach+2wd"}) == taken
    title = wording.words([LATE], channel="sms").title
    assert title == (f"{taken} BBC-2" if taken else "【超期】BBC-2")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ nummer }}", "没有变量 nummer"),
        ("{{ item.hed }}", "没有变量 hed"),
        ("{% for i in items %}{{ i.phone }}{% endfor %}", "没有变量 phone"),
        ("标题\n{% if %}", "写法不对"),
        ("{{ item.no | nonsense }}", "写法不对"),
        ("{{ item.no.__class__ }}", "没有变量 __class__"),
        ("{{ ''['__class__'] }}x{{ 1 / 0 }}", "试填时出错"),
        ("{% if false %}x{% endif %}", "第一行是标题"),
        ("x" * 20_001, "最多"),
    ],
)
def test_what_cannot_be_filled_is_refused_when_it_is_loaded(text, why):
    assert why in problems("one.j2", text)[0][1]


@pytest.mark.parametrize("name", ["one.txt", "three.j2", "breach.j2", "../one.j2"])
def test_a_file_that_no_message_would_take_is_named(name):
    assert "文件名" in problems(name, "x")[0][1]


def test_the_config_folder_refuses_a_wrong_template_with_file_and_line(tmp_path):
    write_defaults(tmp_path)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "one.j2").write_text("【提醒】{{ item.no }}\n{{ item.phone }}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"one\.j2:2: 没有变量 phone"):
        load_config(tmp_path)
    (tmp_path / "templates" / "one.j2").write_text("【提醒】{{ item.no }}\n", encoding="utf-8")
    assert load_config(tmp_path).wording.words([ONE], channel="wecom").title == "【提醒】BBC-1"


def test_a_template_that_fails_all_the_same_gives_way_to_the_shipped_one(caplog):
    wording = Wording({"one.j2": "{{ (item.left + 1) / (item.left - 1) }}"})  # it was not checked
    assert wording.words([ONE], channel="wecom").title == "【即将到期】BBC-1"
    assert "one.j2" in caplog.text
