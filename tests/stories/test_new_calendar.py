"""A notice comes: dates move, each holder is told once, nothing is told twice, no breach vanishes in silence."""

from __future__ import annotations

from contextlib import contextmanager

from notices import BRIDGED_2027
from story import story

from sla_service.services import calendar_admin, calendar_force
from sla_service.store import tables


@contextmanager
def hall_with_calendars(url, begins, **options):
    """A story whose calendars stand in the database."""
    with story(url, begins, **options) as hall:
        app = hall.app
        app.calendars = calendar_force.open_calendars(app.db, app.config.directory, now=hall.now)
        yield hall


def notice_comes(hall, text):
    return calendar_admin.apply(hall.app, calendar_admin.notices(text), who="admin", clock=lambda: hall.now)


def journal(hall, what):
    return [(j["no"], j["detail"]) for j in hall.rows(tables.journal) if j["what"] == what]


def test_a_notice_moves_the_due_date_and_tells_the_holder_once(db_url):
    with hall_with_calendars(db_url, "2026-12-28 10:00") as hall:
        for n in range(3):
            case = hall.says(
                "case.accepted", no=f"BBC-{n}", kind="complex", department="社会事务科", handler="zhangsan"
            )
        assert (case["due_on"], case["provisional"]) == ("2027-01-12", True)
        hall.sleep_until("2026-12-28 11:00")
        done = notice_comes(hall, BRIDGED_2027)
        assert done.followed.cases == 3
        assert (hall.case("BBC-1")["due_on"].isoformat(), hall.case("BBC-1")["provisional"]) == ("2027-01-11", False)
        hall.until("2026-12-28 12:00")
        hall.expect("12-28 11:00 wecom 张三 【到期日有变】3 件")
        assert "○ BBC-0 ：1月12日改为1月11日，还剩 10 个工作日" in hall.bodies()[0]
        ((_, detail), *_) = journal(hall, "due_changed")
        assert (detail["old"], detail["new"], detail["reason"]) == ("2027-01-12", "2027-01-11", "calendar")
        assert "国办发明电〔2026〕98号" in detail["text"]
        hall.until("2027-01-11 12:00")
        hall.expect(
            "01-07 08:30 wecom 张三 【办件提醒】3 件待办",
            "01-09 08:30 wecom 张三 【办件提醒】3 件待办",  # the Saturday that is worked now
            "01-11 08:30 wecom 张三 【办件提醒】3 件今天到期",
        )
