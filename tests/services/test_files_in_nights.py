"""The same register every evening: what changed becomes events, what did not makes none, however often it is read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from builders import at
from story import Story, story

from sla_service.services import file_input, files_in
from sla_service.services.register_map import RegisterMap
from sla_service.store import tables

TITLES = [
    "编号",
    "受理时间",
    "类别",
    "事由",
    "科室",
    "承办人",
    "挂起时间",
    "挂起原因",
    "恢复时间",
    "办结时间",
    "答复时间",
]
FIELDS = ["no", "accepted", "kind", "title", "department", "handler", "paused", "why", "resumed", "closed", "replied"]
BASE = {"no": "A-1", "accepted": "2026-11-16 09:00", "kind": "简单", "department": "社会事务科", "handler": "张三"}


@dataclass
class Office:
    """An office that exports its register each evening."""

    hall: Story
    folder: Path

    def export(self, when: str, *rows: dict[str, str], written: str = "", **how: Any) -> dict[str, int]:
        """Reads an export at ``when``, written then unless said; gives events by status."""
        path = self.folder / "台账.csv"
        with path.open("w", encoding="gb18030", newline="") as file:
            csv.writer(file).writerows([TITLES, *([row.get(f, "") for f in FIELDS] for row in rows)])
        self.hall.now = at(when)
        wish = files_in.Wish("hall", how.pop("mapping", RegisterMap()), as_of=at(written or when), **how)
        self.notes: list[str] = []
        watch = files_in.Watch(lambda *_: None, self.notes.append, lambda *_: None)
        with file_input.opened(str(path), None) as found:
            report = files_in.take(self.hall.app, found, wish, self.folder / "rejects", watch, now=self.hall.now)
        return {k: v for k, v in report.counts.items() if v}

    def ids(self) -> list[str]:
        return sorted(r["id"] for r in self.hall.rows(tables.inbox))

    def state(self) -> Any:
        return self.hall.rows(tables.cases), sorted((r["id"], r["status"]) for r in self.hall.rows(tables.inbox))


@pytest.fixture
def office(db_url, tmp_path):
    with story(db_url, "2026-11-16 08:00") as hall:
        yield Office(hall, tmp_path)


def row(**changes: str) -> dict[str, str]:
    return {**BASE, **changes}


def test_another_handler_is_a_reassignment_at_the_time_of_the_export(office):
    assert office.export("2026-11-16 18:00", row()) == {"applied": 1}
    assert office.export("2026-11-17 18:00", row(handler="李四")) == {"applied": 1}
    assert office.ids() == ["A-1/accepted", "A-1/assigned/20261117T180000"]
    assert office.hall.case("A-1")["handler"] == "李四"
    assert office.hall.case("A-1")["accepted_at"] == at("2026-11-16 09:00")
    (assigned,) = [r for r in office.hall.rows(tables.inbox) if r["type"] == "case.assigned"]
    assert assigned["time"] == at("2026-11-17 18:00")
    assert assigned["data"] == {"department": "社会事务科", "handler": "李四"}


def test_a_repeat_changes_nothing_whenever_it_comes(office):
    first, second = row(), row(handler="李四", closed="2026-11-17 15:00")
    office.export("2026-11-16 18:00", first)
    office.export("2026-11-17 18:00", second)
    state = office.state()
    assert office.export("2026-11-17 18:05", second, written="2026-11-17 18:00") == {"duplicate": 2}
    assert office.export("2026-11-18 18:00", second) == {"duplicate": 2}
    assert office.state() == state


def test_an_older_file_does_not_turn_back_what_a_newer_one_said(office):
    office.export("2026-11-16 18:00", row())
    office.export("2026-11-17 18:00", row(handler="李四"))
    state = office.state()
    assert office.export("2026-11-17 19:00", row(), row(no="A-2"), written="2026-11-16 18:00") == {
        "applied": 1,
        "duplicate": 1,
    }
    assert "有 1 行与后来导入的不同，没有动：这个文件写于 2026-11-16 18:00，比那次的旧；" in office.notes[0]
    assert office.hall.case("A-1")["handler"] == "李四"
    assert [s for s in office.state()[1] if s[0].startswith("A-1")] == state[1]


def test_back_to_the_first_handler_is_a_reassignment_too(office):
    for day, handler in ((16, "张三"), (17, "李四"), (18, "张三"), (19, "李四")):
        assert office.export(f"2026-11-{day} 18:00", row(handler=handler)) == {"applied": 1}
    assert office.hall.case("A-1")["handler"] == "李四"
    assert len(office.ids()) == 4


def test_another_kind_is_a_classification_before_a_closing_in_the_same_row(office):
    office.export("2026-11-16 18:00", row(kind=""))
    assert office.export("2026-11-19 18:00", row(kind="复杂", closed="2026-11-19 16:00")) == {"applied": 2}
    assert office.ids() == ["A-1/accepted", "A-1/classified/20261119T180000", "A-1/closed"]
    case = office.hall.case("A-1")
    assert (case["kind"], case["state"], case["verdict"]) == ("complex", "closed", "met")


def test_closed_today_and_answered_tomorrow(office):
    office.export("2026-11-16 18:00", row())
    assert office.export("2026-11-17 18:00", row(closed="2026-11-17")) == {"applied": 1, "duplicate": 1}
    assert "no_reply" in {f["code"] for f in office.hall.case("A-1")["findings"]}
    assert office.export("2026-11-18 18:00", row(closed="2026-11-17", replied="2026-11-18 10:00"))["applied"] == 1
    assert "no_reply" not in {f["code"] for f in office.hall.case("A-1")["findings"]}
    assert office.ids() == ["A-1/accepted", "A-1/closed", "A-1/replied"]
    office.export("2026-11-19 18:00", row(closed="2026-11-17", replied="2026-11-18 11:00"))
    assert office.hall.case("A-1")["replied_at"] == at("2026-11-18 11:00")


def test_a_corrected_closing_takes_the_place_of_the_wrong_one(office):
    office.export("2026-11-17 18:00", row(closed="2026-11-17 15:00"))
    assert office.export("2026-11-18 18:00", row(closed="2026-11-18 11:00")) == {"applied": 2}
    assert office.hall.case("A-1")["closed_at"] == at("2026-11-18 11:00")
    assert office.hall.case("A-1")["round"] == 1


def test_a_closing_after_a_reopening_ends_the_second_round(office):
    office.export("2026-11-17 18:00", row(closed="2026-11-17 15:00"))
    office.hall.now = at("2026-11-18 09:00")
    office.hall.says("case.reopened", no="A-1", reason="不满意")
    office.export("2026-11-19 18:00", row(closed="2026-11-19 11:00"))
    case = office.hall.case("A-1")
    assert (case["state"], case["round"], case["closed_at"]) == ("closed", 2, at("2026-11-19 11:00"))


def test_another_title_corrects_the_acceptance_and_leaves_the_rest(office):
    office.export("2026-11-16 18:00", row(title="老标题"))
    office.export("2026-11-17 18:00", row(title="老标题", handler="李四"))
    assert office.export("2026-11-18 18:00", row(title="新标题", handler="李四")) == {"applied": 2}
    case = office.hall.case("A-1")
    assert (case["title"], case["handler"], case["accepted_at"]) == ("新标题", "李四", at("2026-11-16 09:00"))
    holders = [h[1] for h in case["detail"]["holders"]]
    assert holders == ["张三", "李四"]


def test_a_second_pause_is_one_and_a_corrected_pause_is_none(office):
    paused = row(paused="2026-11-17 10:00", why="听证")
    office.export("2026-11-17 18:00", paused)
    office.export("2026-11-18 18:00", paused | {"paused": "2026-11-17 11:00"})
    office.export("2026-11-19 18:00", paused | {"paused": "2026-11-17 11:00", "resumed": "2026-11-18 10:00"})
    office.export("2026-11-20 18:00", paused | {"paused": "2026-11-20 09:00", "resumed": "2026-11-18 10:00"})
    assert office.hall.case("A-1")["state"] == "paused"
    office.export("2026-11-23 18:00", paused | {"paused": "2026-11-20 09:00", "resumed": "2026-11-23 10:00"})
    assert office.hall.case("A-1")["state"] == "running"
    assert not [s for s in office.state()[1] if s[1] == "rejected"]
    (clock,) = [c for c in office.hall.rows(tables.clocks) if c["target"] == "resolve"]
    assert [p[0][:16] for p in clock["pauses"]] == ["2026-11-17T11:00", "2026-11-20T09:00"]


def test_an_emptied_cell_takes_nothing_back(office):
    office.export("2026-11-17 18:00", row(closed="2026-11-17 15:00"))
    assert office.export("2026-11-18 18:00", row(handler="", department="", kind="")) == {"duplicate": 1}
    case = office.hall.case("A-1")
    assert (case["state"], case["handler"]) == ("closed", "张三")


def test_a_case_in_two_rows_of_one_file_does_not_change_hands_every_night(office):
    rows = [row(), row(handler="李四")]
    assert office.export("2026-11-16 18:00", *rows) == {"applied": 2}
    state = office.state()
    for day in (17, 18):
        assert office.export(f"2026-11-{day} 18:00", *rows) == {"duplicate": 2}
    assert office.state() == state


def test_a_row_that_could_not_be_taken_is_tried_again_the_next_night(office):
    office.export("2026-11-16 18:00", row())
    assert office.export("2026-11-17 18:00", row(handler="李" * 300)) == {"invalid": 1}
    assert office.export("2026-11-18 18:00", row(handler="李四")) == {"applied": 1}
    assert office.hall.case("A-1")["handler"] == "李四"


def test_a_dry_run_tells_tonights_changes_and_keeps_none(office):
    office.export("2026-11-16 18:00", row())
    state = office.state()
    changed = row(handler="李四", closed="2026-11-17 15:00")
    assert office.export("2026-11-17 18:00", changed, dry_run=True) == {"applied": 2}
    assert office.state() == state
    assert office.export("2026-11-17 18:00", changed) == {"applied": 2}


def test_another_phone_number_of_the_applicant_is_no_change_of_the_case(office):
    mapping = RegisterMap(columns=None)
    TITLES.append("联系电话")
    FIELDS.append("phone")
    try:
        office.export("2026-11-16 18:00", row(phone="13800000000"), mapping=mapping)
        assert office.export("2026-11-17 18:00", row(phone="13900000000"), mapping=mapping) == {"duplicate": 1}
    finally:
        TITLES.pop()
        FIELDS.pop()
    from sla_service.store.tables_registers import register_rows

    assert "138" not in str(office.hall.rows(register_rows))
