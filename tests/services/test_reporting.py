"""The figures of a period: what counts, for whom, and what stands beside it."""

from __future__ import annotations

from datetime import date

import pytest
from story import story

from sla_service.domain.figures import Figures
from sla_service.errors import UsageError
from sla_service.services.reporting import report

NOVEMBER = {"first": date(2026, 11, 1), "last": date(2026, 11, 30)}
BASE = {"kind": "simple", "department": "社会事务科", "matter": "登记"}


@pytest.fixture
def hall(db_url):
    """Accepted on Monday 11-02 at 9, due on Thursday 11-05 at 17:30."""
    with story(db_url, "2026-11-02 09:00") as told:
        for no in ("MET", "LATE", "SAME-DAY", "GONE", "AGAIN", "OPEN", "HELD"):
            told.says("case.accepted", no=no, handler="10023" if no == "MET" else "zhangsan", **BASE)
        told.says("case.accepted", no="ELSEWHERE", kind="complex", handler="zhaoliu", department="别的科")
        told.says("case.paused", no="HELD", reason="other")
        told.send(told.event("visit.answered", no="v1", matter="登记", count=3))
        told.until("2026-11-03 10:00")
        told.says("case.closed", no="MET", outcome="resolved", replied_at="2026-11-03")
        told.says("case.closed", no="GONE", outcome="withdrawn")
        told.says("case.closed", no="AGAIN", outcome="withdrawn")
        told.until("2026-11-05 18:00")
        told.says("case.closed", no="SAME-DAY", outcome="resolved", replied_at="2026-11-05")
        told.says("case.assigned", no="LATE", handler="lisi")  # half an hour after it ran out
        told.says("case.reopened", no="AGAIN", reason="又来了")
        told.until("2026-11-10 10:00")
        told.says("case.closed", no="LATE", outcome="explained", replied_at="2026-11-10")
        told.says("case.closed", no="AGAIN", outcome="resolved", replied_at="2026-11-10")
        yield told


def made(told, **more):
    return report(told.app, now=told.now, **(NOVEMBER | more))


def shown(figures: Figures) -> dict[str, int]:
    return {name: n for name, n in figures.plain().items() if n and name != "rate"}


def test_each_round_counts_once_and_withdrawn_ones_are_left_out_of_the_rate(hall):
    total = made(hall).total
    assert shown(total) == {
        "met": 2,  # MET, and AGAIN in its second round
        "breached": 2,
        "same_day": 1,
        "late_days": 3,
        "longest": 3,
        "withdrawn": 2,  # GONE, and AGAIN in its first
        "accepted": 8,
        "visits": 3,
        "running": 2,
        "overdue": 1,
        "paused": 1,
    }
    assert (total.rate, total.rate_text) == (0.5, "2/4")


def test_a_breach_counts_for_whoever_held_the_case_at_the_due_instant(hall):
    handlers = dict(made(hall).tables["handler"].sorted())
    assert "李四" not in {name for name, figures in handlers.items() if figures.breached}
    assert handlers["张三"].breached == 2
    late = {one.no: one for one in made(hall).late}
    assert late["LATE"].handler == "zhangsan"
    assert [(h.handler, h.days) for h in late["LATE"].held] == [("zhangsan", 3), ("lisi", 3)]


def test_people_stand_under_one_name_however_they_are_written(hall):
    names = [name for name, _ in made(hall).tables["handler"].sorted()]
    assert "10023" not in names
    assert "zhaoliu" in names, "whom the directory does not know is named as he came"


def test_the_longest_delay_stands_at_the_top_and_doubtful_pauses_are_listed(hall):
    found = made(hall)
    assert [(one.no, one.late_days) for one in found.late] == [("LATE", 3), ("SAME-DAY", 0)]
    assert [(row["no"], [f["code"] for f in row["findings"]]) for row in found.pauses] == [
        ("HELD", ["pause_not_informed", "pause_other"])
    ]


def test_a_period_holds_both_its_ends_and_nothing_else(hall):
    days = {day: made(hall, first=date(2026, 11, day), last=date(2026, 11, day)).total.judged for day in range(2, 12)}
    assert {day: n for day, n in days.items() if n} == {3: 1, 5: 1, 10: 2}
    assert made(hall, first=date(2026, 12, 1), last=date(2026, 12, 31)).late == []


def test_groups_add_up_to_the_total(hall):
    found = made(hall)
    for what, table in found.tables.items():
        sums = [
            sum(getattr(f, name) for f in table.groups.values()) for name in ("met", "breached", "running", "accepted")
        ]
        assert sums == [2, 2, 2, 8], what
    assert {name: f.visits for name, f in found.tables["matter"].groups.items() if f.visits} == {"登记": 3}


@pytest.mark.parametrize(
    ("bound", "judged"), [({"hall": "north"}, 0), ({"source": "other"}, 0), ({"source": "hall"}, 4)]
)
def test_a_hall_or_a_source_bounds_it(hall, bound, judged):
    assert made(hall, **bound).total.judged == judged


def test_test_sources_count_only_when_asked_for(db_url):
    with story(db_url, "2026-11-02 09:00", test=True) as told:
        told.says("case.accepted", **BASE)
        told.says("case.closed", outcome="resolved", replied_at="2026-11-02")
        assert (made(told).total.judged, made(told, source="hall").total.judged) == (0, 1)


@pytest.mark.parametrize(
    ("met", "breached", "text"), [(0, 0, "—"), (3, 1, "3/4"), (18, 1, "18/19"), (19, 1, "95.0%"), (999, 1, "99.9%")]
)
def test_few_cases_are_a_fraction_and_many_a_percentage(met, breached, text):
    assert Figures(met=met, breached=breached).rate_text == text


def test_a_period_that_is_none_is_refused(hall):
    with pytest.raises(UsageError, match="2026-11-30 到 2026-11-01"):
        made(hall, first=date(2026, 11, 30), last=date(2026, 11, 1))
