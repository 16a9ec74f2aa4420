"""Drafts, previews and layers: what is refused, what is shown before it happens, what can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from builders import at, on
from notices import BRIDGED_2027, LONG_2027, PLAIN_2027
from story import make_app

from sla_service.calendars import layers as base
from sla_service.calendars.local import read_local
from sla_service.domain.calendar import DayKind, YearStatus
from sla_service.domain.directory import Hall
from sla_service.errors import CalendarError, NotFoundError
from sla_service.services import calendar_admin, calendar_force, calendar_moves, calendar_watch, intake
from sla_service.store import layers, sources, tables

NOW = at("2026-12-28 10:00")
#: Days that the regions' notices make other than the country's: worked or not.
DAYS = {
    "guangxi": {on("2024-04-11"): False, on("2024-04-12"): False},
    "liangshan": {
        **{on(f"2023-08-{n:02}"): False for n in (9, 10, 11, 14, 15, 16)},
        **{on(f"2023-11-{n}"): False for n in range(20, 25)},
        **dict.fromkeys(map(on, ("2023-08-06", "2023-08-19", "2023-11-18", "2023-11-19")), True),
        on("2023-10-07"): False,
    },
    "chuxiong": {on(f"2025-07-{n}"): False for n in (16, 17, 18)},
    "ningxia": dict.fromkeys(map(on, ("2019-06-05", "2019-06-06", "2019-08-12", "2019-08-13")), False),
}
EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples" / "calendars").glob("*.yaml"))


@pytest.fixture
def app(db_url):
    made = make_app(db_url)
    made.calendars = calendar_force.open_calendars(made.db, made.config.directory, now=NOW)
    with made.db.write() as conn:
        sources.add(conn, "hall", hall="main", test=False, go_live=at("2026-12-01 00:00"), now=NOW)
    yield made
    made.channels.close()
    made.db.dispose()


def put(app, draft):
    return calendar_admin.apply(app, draft, who="admin", clock=lambda: NOW)


def accept(app, no, kind="complex", time="2026-12-28T09:00:00+08:00"):
    data = {"kind": kind, "handler": "zhangsan", "title": "诊所名称核准"}
    event = {"specversion": "1.0", "id": no, "source": "hall", "type": "case.accepted", "subject": no}
    (result,) = intake.receive(app, [intake.read({**event, "time": time, "data": data}, now=NOW)], now=NOW, door="test")
    return result.case


def rows(app, table):
    with app.db.read() as conn:
        return [dict(r) for r in conn.execute(table.select()).mappings()]


def test_a_first_start_keeps_the_layers_and_the_version_that_the_program_brings(app):
    kept = rows(app, tables.calendar_layers)
    assert [(r["name"], r["calendar"]) for r in kept] == [("projection", "*"), ("chinese_calendar", "*")]
    assert app.calendar().version == base.default_calendar().version
    again = calendar_force.open_calendars(app.db, app.config.directory, now=NOW)
    assert again.seen == app.calendars.seen


def test_a_version_out_of_the_database_is_the_same_calendar(app):
    kept, made = app.calendar(), base.default_calendar()
    years = range(2004, 2040)
    assert [kept.named_days(y) for y in years] == [made.named_days(y) for y in years]
    assert kept.years() == made.years()
    start = on("2026-12-28")
    assert {v.nth_after(start, 30) for v in kept.variants(start, on("2027-02-20"))} == {
        v.nth_after(start, 30) for v in made.variants(start, on("2027-02-20"))
    }


def test_a_preview_lists_days_and_cases_and_changes_nothing(app):
    accept(app, "BBC-1")
    accept(app, "BBC-2", "simple")
    found = calendar_admin.preview(app, calendar_admin.notices(BRIDGED_2027))
    assert found.years == {2027: (YearStatus.PROJECTED, YearStatus.PUBLISHED)}
    assert on("2027-01-09") in {d.on for d in found.days["main"] if d.new.kind is DayKind.MAKEUP}
    moved = list(calendar_moves.moves(app, calendar_admin.trial(app, found), now=NOW))
    assert [(m.no, str(m.old), str(m.new), m.handler) for m in moved] == [
        ("BBC-1", "2027-01-12", "2027-01-11", "zhangsan")
    ]
    assert len(rows(app, tables.calendar_layers)) == 2
    assert {r["calendar_version"] for r in rows(app, tables.cases)} == {app.calendar().version}
    done = put(app, calendar_admin.notices(BRIDGED_2027))
    assert {str(r["due_on"]) for r in rows(app, tables.cases) if r["no"] == "BBC-1"} == {"2027-01-11"}
    assert set(done.calendars) == {"main"}


def test_the_layer_keeps_document_hash_importer_and_time(app):
    put(app, calendar_admin.notices(PLAIN_2027))
    layer = rows(app, tables.calendar_layers)[-1]
    assert (layer["document"], layer["importer"], layer["imported_at"]) == ("国办发明电〔2026〕99号", "admin", NOW)
    assert len(layer["sha256"]) == 64
    assert layer["years"] == {"2027": "published"}


def test_the_same_notice_again_changes_nothing(app):
    put(app, calendar_admin.notices(PLAIN_2027))
    again = put(app, calendar_admin.notices(PLAIN_2027))
    assert again.calendars == {}
    assert len(rows(app, tables.calendar_layers)) == 3


def test_two_notices_that_disagree_are_refused_until_one_is_withdrawn(app):
    put(app, calendar_admin.notices(PLAIN_2027))
    with pytest.raises(CalendarError, match=r"两份通知不一致：2027-01-04|两份通知不一致：2026-12-31"):
        put(app, calendar_admin.notices(LONG_2027))
    put(app, calendar_admin.withdrawal(rows(app, tables.calendar_layers)[-1]["id"]))
    assert app.calendar().status(2027) is YearStatus.PROJECTED
    put(app, calendar_admin.notices(LONG_2027))
    assert app.calendar().status(2027) is YearStatus.PUBLISHED


def test_what_the_program_brings_and_what_is_not_there_cannot_be_withdrawn(app):
    first = rows(app, tables.calendar_layers)[0]["id"]
    with pytest.raises(CalendarError, match="程序自带"):
        calendar_admin.preview(app, calendar_admin.withdrawal(first))
    with pytest.raises(NotFoundError, match="sla calendar status"):
        calendar_admin.preview(app, calendar_admin.withdrawal(99))


def test_a_file_without_days_says_that_the_year_stays_unknown(app):
    with pytest.raises(CalendarError, match="没有 2027 年的日期"):
        calendar_admin.notices(b'{"year": 2027, "papers": [], "days": []}', "2027.json")


def test_an_order_for_a_single_day_is_replaced_by_a_later_one(app):
    day = on("2026-12-30")
    put(app, calendar_admin.single_day(day, off=True, name="系统切换", calendars=["main"]))
    assert not app.calendar().is_working(day)
    put(app, calendar_admin.single_day(day, off=False, name="照常", calendars=["main"]))
    assert app.calendar().is_working(day)
    with app.db.read() as conn:
        assert len(layers.active(conn)) == 3


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_of_regions_can_be_added(app, path):
    before = app.calendar()
    put(app, calendar_admin.local(path, calendar_admin.calendars_for(app, path, ())))
    after = app.calendar()
    changed = {str(d): after.is_working(d) for d in DAYS[path.stem] if before.is_working(d) != after.is_working(d)}
    assert changed == {str(d): worked for d, worked in DAYS[path.stem].items()}
    assert {after.day(d).source for d in DAYS[path.stem]} == {read_local(path).shown_source}
    assert after.status(2026) is YearStatus.PUBLISHED


def test_local_days_go_to_the_calendar_of_the_files_name_or_the_one_that_is_named(app, tmp_path):
    halls = (Hall("main"), Hall("south", calendar="guangxi"))
    app.config = replace(app.config, directory=replace(app.config.directory, halls=halls))
    assert calendar_admin.calendars_for(app, tmp_path / "guangxi.yaml", ()) == ["guangxi"]
    assert calendar_admin.calendars_for(app, tmp_path / "x.yaml", ("main", "guangxi")) == ["main", "guangxi"]
    with pytest.raises(CalendarError, match="--calendar"):
        calendar_admin.calendars_for(app, tmp_path / "x.yaml", ())
    with pytest.raises(NotFoundError, match="guangdong"):
        calendar_admin.calendars_for(app, tmp_path / "x.yaml", ("guangdong",))


def test_a_newer_package_is_taken_up_by_a_start_and_an_older_one_is_not(app, monkeypatch):
    version = app.calendar().version
    layer = replace(base.package.layer(), source="chinese_calendar 1.12.0")
    monkeypatch.setattr(base.package, "VERSION", "1.12.0")
    monkeypatch.setattr(base.package, "layer", lambda: layer)
    newer = calendar_force.open_calendars(app.db, app.config.directory, now=NOW)
    assert newer.current.version != version
    assert newer.current.day(on("2026-10-01")).source == "chinese_calendar 1.12.0"
    monkeypatch.undo()
    older = calendar_force.open_calendars(app.db, app.config.directory, now=NOW)
    assert older.current.version == newer.current.version


def test_the_standing_says_how_far_it_reaches_and_who_depends_on_it(app):
    accept(app, "BBC-1")
    it = calendar_watch.standing(app, now=NOW, calendar="main")
    assert (it.horizon.settled_until, it.horizon.missing, it.horizon.provisional, it.waiting) == (2026, 2027, 1, 0)
    put(app, calendar_admin.notices(PLAIN_2027))
    it = calendar_watch.standing(app, now=NOW, calendar="main")
    assert (it.horizon.settled_until, it.horizon.provisional, len(it.layers)) == (2027, 0, 3)
