"""Histories for property tests: any events that the contract lets in, crowded onto few instants so that they meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from builders import FOLLOW_UP, MIDNIGHT, SIGN, at, policy
from hypothesis import strategies as st

from schemas.event_data import DATA
from schemas.events import parse
from sla_service.domain.events import Event

_INSTANTS = [
    f"{day} {clock}"
    for day in ("2026-09-18", "2026-09-19", "2026-09-20", "2026-09-22", "2026-09-30", "2026-10-07", "2026-10-10")
    for clock in ("00:00", "08:30", "10:00", "17:30", "17:31")
] + ["2026-12-31 09:00", "2027-02-05 09:00", "2027-02-18 17:30", "2027-03-01 09:00"]
NEAR = st.sampled_from([at(text) for text in _INSTANTS])
FAR = st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
TIMES = st.one_of(*[NEAR] * 12, FAR)
EARLY = st.sampled_from([at(text) for text in _INSTANTS[:10]])
OFFSETS = st.sampled_from(("+08:00", "Z", "-11:00", "+14:00"))

WHEN = st.sampled_from(
    ("2026-09-18", "2026-10-03", "2026-10-10T23:30:00+08:00", "2026-10-20", "2000-01-01", "2199-12-31")
)
PEOPLE = st.sampled_from(("zhangsan", "lisi", "王五", "", " "))
_TEXT = st.sampled_from(("", "甲", "乙 "))
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(("simple", "complex", "special")),
    "limit_days": st.sampled_from((1, 3, 10, 12, 15, 16, 25, 1000)),
    "until": WHEN,
    "reason": st.sampled_from(("需会商", "其他 原因")),
    "applicant_informed_at": WHEN,
    "approved_by": PEOPLE,
    "expected_until": WHEN,
    "replied_at": WHEN,
    "department": st.sampled_from(("社会事务科", "市场监管科")),
    "handler": PEOPLE,
    "to": st.sampled_from(("handler", "section_head", "station_chief", "duty")),
    "outcome": st.sampled_from(("resolved", "explained", "transferred", "withdrawn")),
    "into": st.just("BBC-2026-0009"),
    "satisfied": st.booleans(),
    "count": st.integers(0, 9),
}
_ALWAYS = {
    "case.classified": ("kind",),
    "case.assigned": ("department",),
    "case.escalated": ("to",),
    "case.paused": ("reason",),
    "case.reset": ("reason",),
    "case.closed": ("outcome",),
    "case.reopened": ("reason",),
    "case.merged": ("into",),
}


#: Every type, those that move a case on more often: without pauses, closings and reopenings little can go wrong.
TYPES = st.sampled_from((*DATA, *("case.paused", "case.resumed", "case.closed", "case.reopened", "case.extended") * 3))


@st.composite
def events(
    draw: st.DrawFn,
    ids: st.SearchStrategy[str],
    types: st.SearchStrategy[str] = TYPES,
    times: st.SearchStrategy[datetime] = TIMES,
) -> Event:
    type_ = draw(types)
    data: dict[str, Any] = {}
    for name in DATA[type_].model_fields:
        if name == "event_id":
            data[name] = draw(ids)
        elif type_ == "case.paused" and name == "reason":
            data[name] = draw(st.sampled_from(("hearing", "supplement", "other")))
        elif name in _FIELDS and (name in _ALWAYS.get(type_, ()) or draw(st.booleans())):
            data[name] = draw(_FIELDS[name])
        elif name in ("by", "text", "note", "title", "matter"):
            data[name] = draw(_TEXT)
    if type_ == "case.extended" and not {"limit_days", "until"} & data.keys():
        data["until"] = draw(WHEN)
    moment = draw(times)
    raw = {"specversion": "1.0", "source": "hall", "id": draw(ids), "type": type_, "subject": "1", "data": data}
    raw["time"] = _written(moment, draw(OFFSETS))
    parsed = parse(raw, now=at("2026-01-01 00:00"), allow_future=True)  # so what is drawn is what the door lets in
    return Event(*parsed[:6])


def _written(moment: datetime, offset: str) -> str:
    if offset == "Z":
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    hours = int(offset[:3])
    local = moment.astimezone(UTC).replace(tzinfo=None) + timedelta(hours=hours)
    return f"{local:%Y-%m-%dT%H:%M:%S}{offset}"


@st.composite
def histories(draw: st.DrawFn, most: int = 14) -> list[Event]:
    """Events with ids of their own; nearly always one of them is an early acceptance."""
    ids = st.sampled_from([f"e{n}" for n in range(most)])
    drawn = draw(st.lists(events(ids), max_size=most))
    if draw(st.integers(0, 9)):
        drawn.append(draw(events(st.just("start"), st.just("case.accepted"), EARLY)))
    return list({e.id: e for e in drawn}.values())


POLICIES = st.sampled_from(
    [
        policy(),
        policy(others=(SIGN, FOLLOW_UP)),
        policy(reopen="continue", cap_counts="extra", others=(FOLLOW_UP,)),
        policy(reclassify_from="reclassification", non_working_receipt="next_workday"),
        policy(hours=MIDNIGHT, unclassified_as="special", reopen="continue"),
    ]
)
