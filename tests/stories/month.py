"""A month of a hall: 300 cases, 12 people, absences, a holiday week, an outage. Everything from one seed."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date, datetime, timedelta

from builders import at
from story import CONFIG, Story

from sla_service.domain.directory import Absence, Department, Directory, Person
from sla_service.domain.policy import BEIJING
from sla_service.services.config import Config, load_config
from sla_service.store import tables

BEGIN, END = "2026-09-14 08:00", "2026-10-20 18:00"
CASES = 300
OUTAGE = ("2026-10-09 11:00", "2026-10-12 10:20")  # over a make-up Saturday: nobody looks, nothing is lost

_STAFF = {
    "社会事务科": (("zhangsan", "张三"), ("lina", "李娜"), ("wangfang", "王芳")),
    "市场监管科": (("zhaolei", "赵磊"), ("sunyue", "孙悦"), ("zhoujie", "周杰")),
    "工程建设科": (("wuhao", "吴昊"), ("zhengshuang", "郑爽")),
}
_HEADS = {"社会事务科": ("lisi", "李四"), "市场监管科": ("qianwei", "钱伟"), "工程建设科": ("heqiang", "何强")}
_LEADER = ("wangwu", "王五")
_MATTERS = {
    "社会事务科": ("诊所名称核准", "社保转移", "低保申请"),
    "市场监管科": ("食品经营许可", "个体工商户登记", "广告登记"),
    "工程建设科": ("施工许可", "占道审批"),
}


def config() -> Config:
    """The shipped rules, twelve people: eight handlers, three section heads (one is station chief), one leader."""
    found = load_config(CONFIG)
    people = [
        Person(id_, name, phone=f"139{n:08}", wecom=id_, department=department)
        for n, (id_, name, department) in enumerate(
            [(*who, d) for d, staff in _STAFF.items() for who in staff]
            + [(*who, d) for d, who in _HEADS.items()]
            + [(*_LEADER, "社会事务科")]
        )
    ]
    departments = tuple(Department(d, head=_HEADS[d][0], leader=_LEADER[0]) for d in _STAFF)
    roles = {("main", "station_chief"): ("lisi",), ("main", "joint_committee"): ("wangwu",)}
    absences = (
        Absence("zhangsan", "lina", date(2026, 9, 21), date(2026, 9, 24)),
        Absence("qianwei", "heqiang", date(2026, 9, 28), date(2026, 9, 30)),
        Absence("heqiang", "lisi", date(2026, 9, 29), date(2026, 9, 29)),  # two deep on that day
    )
    return replace(found, directory=Directory(tuple(people), departments, roles, absences))


def events(hall: Story) -> list[tuple[datetime, dict]]:
    """All that happens, in order. Most cases are closed in time, some late, some never."""
    chance = random.Random(20260914)
    days = _workdays(date(2026, 9, 14), date(2026, 9, 30))
    found: list[tuple[datetime, dict]] = []
    for n in range(1, CASES + 1):
        department = chance.choice(list(_STAFF))
        handler = chance.choice(_STAFF[department])[0]
        kind = chance.choices(["simple", "complex", "special"], [60, 30, 10])[0]
        start = _moment(chance, chance.choice(days))
        no = f"BBC-{n:03}"
        about = {"department": department, "handler": handler, "title": chance.choice(_MATTERS[department])}
        more = {"limit_days": 15, "applicant_informed_at": start.isoformat()} if kind == "special" else {}
        found.append((start, hall.event("case.accepted", no=no, kind=kind, **about, **more)))
        limit = {"simple": 3, "complex": 10, "special": 15}[kind]
        took = chance.choices(["early", "just", "late", "never"], [78, 12, 8, 2])[0]
        working = {"early": chance.randint(0, limit - 2) if limit > 2 else 0, "just": limit, "late": limit + 2}
        if chance.random() < 0.05:
            paused, resumed = start + timedelta(hours=2), start + timedelta(days=2)
            informed = {"applicant_informed_at": paused.isoformat(), "reason": "inspection"}
            found.append((paused, hall.event("case.paused", no=no, **informed)))
            found.append((resumed, hall.event("case.resumed", no=no)))
        if took != "never":
            closed = _moment(chance, _later(start.date(), working[took]), early=took == "just", after=start)
            found.append((closed, hall.event("case.closed", no=no, outcome="resolved", replied_at=closed.isoformat())))
    for at_, event in found:
        event["time"] = at_.isoformat()
    return sorted(found, key=lambda f: (f[0], f[1]["subject"], f[1]["type"]))


def live(hall: Story) -> list[str]:
    """The month: events come as they happen, but for the outage, in which they wait outside. Gives every message."""
    down, up = (at(text) for text in OUTAGE)
    waiting: list[dict] = []
    for when, event in events(hall):
        if down <= when < up:
            waiting.append(event)
            continue
        if waiting and when >= up:
            _recover(hall, up, waiting)
            waiting = []
        hall.until(_text(min(when, down) if hall.now < down <= when else when))
        _hand_in(hall, event)
    if hall.now < up:
        _recover(hall, up, waiting)
    hall.until(END)
    return _shown(hall)


def _shown(hall: Story) -> list[str]:
    """``09-24 08:30 wecom 张三 【办件提醒】1 件超期，1 件待办：BBC-001 BBC-002``, red first as in the message."""
    rows = sorted(hall.rows(tables.mailbox), key=lambda r: (r["at"], r["channel"], r["name"], r["id"]))
    lines = []
    for row in rows:
        cases = [] if "BBC-" in row["title"] else re.findall(r"BBC-\d+|另有 \d+ 件", row["body"])
        time = row["at"].astimezone(BEIJING).strftime("%m-%d %H:%M")
        told = f"{time} {row['channel']} {row['name']} {row['title']}"
        lines.append(told + (f"：{' '.join(cases)}" if cases else ""))
    return lines


def _recover(hall: Story, up: datetime, waiting: list[dict]) -> None:
    hall.until(OUTAGE[0])
    hall.sleep_until(_text(up))
    for event in waiting:
        _hand_in(hall, event)


def _hand_in(hall: Story, event: dict) -> None:
    (result,) = hall.send(event)
    assert result["status"] in ("applied", "rejected"), result


def _text(when: datetime) -> str:
    return when.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _moment(chance: random.Random, day: date, *, early: bool = False, after: datetime | None = None) -> datetime:
    hour = chance.randint(9, 11) if early else chance.randint(9, 16)
    found = datetime(day.year, day.month, day.day, hour, chance.randint(1, 59), tzinfo=BEIJING)
    return found if after is None or found > after else after + timedelta(minutes=30)


_OFF = {date(2026, 9, d) for d in (25, 26, 27)} | {date(2026, 10, d) for d in range(1, 8)}
_ON = {date(2026, 9, 20), date(2026, 10, 10)}


def _working(day: date) -> bool:
    return day in _ON or (day.weekday() < 5 and day not in _OFF)


def _workdays(first: date, last: date) -> list[date]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [d for d in days if _working(d)]


def _later(day: date, n: int) -> date:
    return [day, *_workdays(day + timedelta(days=1), day + timedelta(days=60))][n]
