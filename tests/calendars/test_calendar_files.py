"""Files of days: told apart by their content, whatever they are called and however they are encoded."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from notice_samples import Y2026, offs

from sla_service.calendars.files import read, read_years
from sla_service.calendars.ics import parse_ics, to_ics
from sla_service.calendars.layers import base_layers, build, default_calendar
from sla_service.calendars.local import read_local
from sla_service.calendars.model import Rank
from sla_service.calendars.notice import parse
from sla_service.domain.calendar import YearStatus
from sla_service.errors import CalendarError

TEXT = parse(Y2026)
DAYS_2026 = offs(TEXT.days)
NATIONAL_DAY = [on for on, off in DAYS_2026.items() if on.month == 10 and off]


def as_json(days: dict[date, bool], year: int = 2026) -> str:
    """In the form of holiday-cn."""
    rows = [{"name": TEXT.days[on].name, "date": on.isoformat(), "isOffDay": off} for on, off in days.items()]
    return json.dumps({"year": year, "papers": ["https://www.gov.cn/x.htm"], "days": rows}, ensure_ascii=False)


def as_csv(days: dict[date, bool], form: str = "{:%Y-%m-%d}", off: str = "off", work: str = "work") -> str:
    return "".join(f"{form.format(on)},{off if is_off else work},{TEXT.days[on].name}\n" for on, is_off in days.items())


def test_a_json_file_of_holiday_cn_is_read():
    notice = read(as_json(DAYS_2026).encode(), "2026.json")
    assert offs(notice.days) == DAYS_2026
    assert notice.days[date(2026, 9, 20)].name == "国庆节"
    assert (notice.year, notice.complete, notice.url) == (2026, True, "https://www.gov.cn/x.htm")
    assert len(notice.sha256) == 64


def test_a_json_file_without_days_leaves_the_year_unknown():
    notice = read('{"year": 2027, "papers": [], "days": []}')
    assert (notice.year, notice.status, notice.days) == (2027, YearStatus.UNKNOWN, {})
    assert "2027" in notice.warnings[0]


def test_a_worked_monday_after_days_off_only_says_that_work_goes_on():
    # 2020-02-03 stands so in holiday-cn
    days = DAYS_2026 | {date(2026, 2, 24): False}
    rows = json.loads(as_json(DAYS_2026))
    rows["days"].append({"name": "春节", "date": "2026-02-24", "isOffDay": False})
    assert offs(read(json.dumps(rows)).days) == dict(sorted(days.items()))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("{", "JSON"),
        ('{"year": 2026}', "days"),
        ('{"days": []}', "year"),
        ('{"year": 2026, "days": [{"date": "2026-01-01"}]}', r"days\[0\].*isOffDay"),
        ('{"year": 2026, "days": [{"date": "2026-02-30", "isOffDay": true}]}', "2026-02-30"),
        ('{"year": 2026, "days": [{"name": "元旦", "date": "2026-01-01", "isOffDay": true}]}', "缺少.*春节"),
        ('{"year": 2026, "days": [{"name": "元旦", "date": "2025-01-01", "isOffDay": true}]}', "2026 年"),
    ],
)
def test_a_json_file_that_cannot_be_used_says_where(content, names):
    with pytest.raises(CalendarError, match=names):
        read(content, "x.json")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_a_csv_is_read_in_every_encoding_that_spreadsheets_write(encoding):
    notice = read(as_csv(DAYS_2026, off="放假", work="上班").encode(encoding), "假期.csv")
    assert offs(notice.days) == dict(sorted(DAYS_2026.items()))
    assert notice.days[date(2026, 2, 16)].name == "春节"


@pytest.mark.parametrize("form", ["{:%Y-%m-%d}", "{:%Y/%m/%d}", "{:%Y%m%d}", "{:%Y年%m月%d日}", "{:%Y.%m.%d}"])
def test_dates_of_a_csv_may_be_written_in_the_usual_ways(form):
    content = "日期,类型,名称\n" + as_csv(DAYS_2026, form, "休", "班")
    assert offs(read(content).days) == dict(sorted(DAYS_2026.items()))


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_columns_of_a_csv_may_be_parted_by_tabs_or_semicolons(delimiter):
    assert offs(read(as_csv(DAYS_2026).replace(",", delimiter)).days) == dict(sorted(DAYS_2026.items()))


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ("2026-05-01,maybe,劳动节", "第 40 行.*maybe"),
        ("2026-13-01,off,劳动节", "第 40 行.*2026-13-01"),
        ("2026-05-01,work,劳动节", "第 40 行.*既放假又上班"),
        ("2026-05-20", "第 40 行.*一列"),
        ("2026-05-20,work,劳动节", "2026-05-20 是星期三"),
    ],
)
def test_a_wrong_row_of_a_csv_is_named(row, names):
    assert len(DAYS_2026) == 39
    with pytest.raises(CalendarError, match=names):
        read(as_csv(DAYS_2026) + row + "\n", "假期.csv")


def test_a_csv_of_two_years_asks_which_one_or_gives_both():
    two = as_csv(DAYS_2026) + "".join(
        f"{day.on},{'work' if day.kind.counts else 'off'},{day.name}\n" for day in default_calendar().named_days(2025)
    )
    assert [notice.year for notice in read_years(two)] == [2025, 2026]
    with pytest.raises(CalendarError, match="2025、2026"):
        read(two)
    assert read(two, year=2026).year == 2026


def test_pasted_text_and_text_files_go_to_the_reader_of_notices(tmp_path):
    path = tmp_path / "通知.txt"
    path.write_bytes(Y2026.encode("gb18030"))
    assert read(path).days == TEXT.days
    assert read(Y2026).document == "国办发明电〔2025〕7号"
    assert read("元旦：1月1日至3日放假，共3天。", year=2026).year == 2026


def test_what_cannot_be_read_names_the_file(tmp_path):
    with pytest.raises(CalendarError, match=r"nothing\.txt"):
        read(tmp_path / "nothing.txt")
    with pytest.raises(CalendarError, match="空的"):
        read(b"  \n", "x.txt")
    with pytest.raises(CalendarError, match=r"x\.bin"):
        read(b"\x00\xff\xfe\x81\xff" * 9, "x.bin")
    with pytest.raises(CalendarError, match=r"^y\.csv：2026"):
        read("2026-01-01,off,元旦\n", "y.csv")


FEED = """\
BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Asia/Shanghai
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0800
TZOFFSETTO:+0800
END:STANDARD
END:VTIMEZONE
{events}END:VCALENDAR
"""


def feed(*events: str) -> str:
    return FEED.format(events="".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)).replace("\n", "\r\n")


def test_a_feed_with_the_mark_in_the_summary_is_read():
    days = parse_ics(
        feed(
            "DTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261002\nSUMMARY:国庆节 假期 第1天/共7天\n"
            "DESCRIPTION:9月20日（周日）、\n 10月10日上班",
            "DTSTART:20260920T090000\nDTEND:20260920T180000\nSUMMARY:国庆节 补班 第1天/共2天\n"
            "BEGIN:VALARM\nTRIGGER:-PT60M\nDESCRIPTION:补班提醒\nEND:VALARM",
        )
    )
    assert days == {date(2026, 9, 20): (False, "国庆节"), date(2026, 10, 1): (True, "国庆节")}


def test_a_feed_with_apples_mark_is_read_and_plain_festivals_are_not_days_off():
    days = parse_ics(
        feed(
            "DTSTART;VALUE=DATE:20260925\nDTEND;VALUE=DATE:20260928\nSUMMARY;LANGUAGE=zh_CN:中秋节（休）\nX-APPLE-SPECIAL-DAY:WORK-HOLIDAY",
            "DTSTART;VALUE=DATE:20260920\nSUMMARY:国庆节（班）\nX-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY",
            "DTSTART;VALUE=DATE:20260923\nSUMMARY:秋分",
            "DTSTART;VALUE=DATE:20150910\nSUMMARY:教师节放假\nRRULE:FREQ=YEARLY",
        )
    )
    assert days == {
        date(2026, 9, 20): (False, "国庆节"),
        **dict.fromkeys([date(2026, 9, 25), date(2026, 9, 26), date(2026, 9, 27)], (True, "中秋节")),
    }


@pytest.mark.parametrize(
    "times",
    [
        "DTSTART;VALUE=DATE:20261001\nDTEND;VALUE=DATE:20261008",
        "DTSTART;VALUE=DATE:20261001\nDURATION:P7D",
        "DTSTART;VALUE=DATE:20261001\nDURATION:P1W",
        "DTSTART;TZID=Asia/Shanghai:20261001T000000\nDTEND;TZID=Asia/Shanghai:20261008T000000",
        "DTSTART:20260930T160000Z\nDTEND:20261007T160000Z",
        "DTSTART:20261001T090000\nDTEND:20261007T180000",
    ],
)
def test_the_days_of_an_event_are_those_of_beijing_without_the_exclusive_end(times):
    assert sorted(parse_ics(feed(f"{times}\nSUMMARY:休｜国庆节"))) == NATIONAL_DAY


@pytest.mark.parametrize(
    ("event", "names"),
    [
        ("DTSTART;VALUE=DATE:2026-10-01\nSUMMARY:国庆节（休）", "国庆节.*DTSTART"),
        ("SUMMARY:国庆节（休）", "国庆节.*DTSTART.*没有写"),
        ("DTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20270101\nSUMMARY:放假", "不像一段假期"),
    ],
)
def test_a_feed_that_cannot_be_read_names_the_event(event, names):
    with pytest.raises(CalendarError, match=names):
        parse_ics(feed(event))


def test_a_feed_that_contradicts_itself_is_refused():
    both = ("DTSTART;VALUE=DATE:20261001\nSUMMARY:国庆节（休）", "DTSTART;VALUE=DATE:20261001\nSUMMARY:国庆节（班）")
    with pytest.raises(CalendarError, match=r"2026-10-01.*既放假"):
        parse_ics(feed(*both))


@pytest.mark.parametrize("year", [2018, 2019, 2022, 2026, 2027])
def test_a_year_written_as_ics_reads_back_as_the_same_days(year):
    calendar = default_calendar()
    notice = read(to_ics(calendar, year).encode(), f"{year}.ics")
    assert {on: not day.off for on, day in notice.days.items()} == {
        day.on: day.kind.counts for day in calendar.named_days(year)
    }
    imported = build(layers=(*base_layers(), notice.layer()))
    for day in calendar.days(date(year - 1, 12, 1), date(year, 12, 31)):
        assert imported.is_working(day.on) == day.kind.counts


def test_the_ics_keeps_to_the_form():
    text = to_ics(default_calendar(), 2027, stamp=datetime(2026, 12, 1, 8, tzinfo=UTC))
    lines = text.split("\r\n")
    assert (lines[0], lines[-2], lines[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR", "")
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in text.replace("\r\n", "")
    assert "SUMMARY:春节（休）（暂定）" in lines
    assert "DTSTAMP:20261201T080000Z" in lines
    uids = [line for line in lines if line.startswith("UID:")]
    assert len(uids) == len(set(uids)) == 7  # one event per run of days off


LOCAL = """\
name: 广西壮族自治区
source: 关于2017年“壮族三月三”和清明节放假的通知
document: 桂政办电〔2017〕22号
days:
  - {from: 2017-03-30, to: 2017-04-01, off: 壮族三月三}
  - {date: 2017-04-08, work: 壮族三月三}
  - {date: "2017-05-02", off: true, name: 测试}
"""


def test_a_local_layer_is_read_from_yaml_with_off_as_a_plain_key():
    layer = read_local(LOCAL, "guangxi.yaml")
    assert {on.isoformat(): day.off for on, day in layer.days.items()} == {
        "2017-03-30": True,
        "2017-03-31": True,
        "2017-04-01": True,
        "2017-04-08": False,
        "2017-05-02": True,
    }
    assert (layer.name, layer.rank, layer.document) == ("广西壮族自治区", Rank.LOCAL, "桂政办电〔2017〕22号")
    assert layer.days[date(2017, 5, 2)].name == "测试"
    assert read_local(LOCAL.encode(), rank=Rank.HALL, importer="lisi").importer == "lisi"


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("name: 广西壮族自治区", "nom: 广西", "nom"),
        ("name: 广西壮族自治区\n", "", "name"),
        ("work: 壮族三月三", "worked: 壮族三月三", "第 2 项.*worked"),
        ("work: 壮族三月三", "work: 壮族三月三, off: x", "第 2 项.*一个"),
        ("work: 壮族三月三", "work: false", "第 2 项的 work"),
        ("date: 2017-04-08", "date: 2017-04-31", "第 2 项.*2017-04-31"),
        ("date: 2017-04-08", "date: 2017-04-01", "第 2 项.*2017-04-01"),
        ("to: 2017-04-01", "to: 2017-03-01", "第 1 项.*一段假期"),
        ("to: 2017-04-01, ", "", "第 1 项.*from"),
        ("days:", "days: [", "YAML"),
    ],
)
def test_a_wrong_entry_of_a_local_layer_is_named(old, new, names):
    assert old in LOCAL
    with pytest.raises(CalendarError, match=f"guangxi.yaml.*{names}"):
        read_local(LOCAL.replace(old, new), "guangxi.yaml")


def test_a_local_file_that_is_no_mapping_is_refused():
    with pytest.raises(CalendarError, match="name"):
        read_local("- 2017-04-08\n", "x.yaml")
    with pytest.raises(CalendarError, match="days"):
        read_local("name: 大厅\n", "x.yaml")
