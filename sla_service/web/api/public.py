"""What anybody may ask without a key: when something would be due, what a year looks like, is the service up."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from schemas.replies import CalendarDayOut, CalendarOut, HealthOut
from sla_service.domain.calendar import Calendar, YearStatus
from sla_service.domain.people import MAIN_HALL
from sla_service.errors import NotFoundError, UsageError
from sla_service.services import due as dues
from sla_service.services.due import DueAccountOut
from sla_service.web.api.params import Text
from sla_service.web.context import web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import RETRY_AFTER, answer

router = APIRouter()

_COUNTED: Final = {"date": "2026-11-23", "kind": "working", "name": "", "state": "counted", "n": 1}
_DUE: Final = {
    "start": "2026-11-20T10:12:00+08:00",
    "kind": "simple",
    "days": 3,
    "due_on": "2026-11-25",
    "due_at": "2026-11-25T17:30:00+08:00",
    "provisional": False,
    "account": [{**_COUNTED, "reason": "", "projected": False, "text": "11月23日（周一）第 1 个工作日"}],
}
_YEAR: Final = {
    "year": 2026,
    "status": "published",
    "source": "chinese_calendar 1.11.0",
    "working_days": 248,
    "days": [{"date": "2026-10-10", "kind": "makeup", "name": "国庆节", "source": "chinese_calendar 1.11.0"}],
}


@router.get(
    "/v1/due",
    tags=["calendar"],
    summary="什么时候到期",
    description=(
        "不用密钥。收到当天不算，到期日是第 N 个工作日，下班时到期；挂起期间下班时仍挂起的工作日不计。"
        "account 逐日说明。kind 按本厅现行时限，与 days 写一个。"
    ),
    response_model=DueAccountOut,
    responses={**example(_DUE), **problems(422, 503, _422="kind 和 days 要写一个，也只能写一个")},
)
async def get_due(
    request: Request,
    start: Annotated[
        Text,
        Query(description="收到的时间（带时区）或日期", examples=["2026-11-20T10:12:00+08:00"]),
    ],
    kind: Annotated[
        Literal["simple", "complex", "special"] | None, Query(description="分类", examples=["simple"])
    ] = None,
    days: Annotated[int | None, Query(ge=1, le=dues.MAX_DAYS, description="工作日数")] = None,
    pause: Annotated[
        list[Text],
        Query(
            max_length=100,
            description="挂起的起止，写成 A/B（时间或日期，B 空着是还没恢复）；可以写几次",
            examples=["2026-11-23T10:00:00+08:00/2026-11-24T10:00:00+08:00"],
        ),
    ] = [],  # noqa: B006 (FastAPI copies it)
    hall: Annotated[Text, Query(description="按哪个厅的规则和日历", examples=["main"])] = MAIN_HALL,
    department: Annotated[Text | None, Query(description="按哪个科室的日历", examples=["社会事务科"])] = None,
) -> Response:
    app = web_of(request).app
    begin, pauses = dues.read_start(start), [dues.read_pause(p) for p in pause]
    if app.config.directory.hall(hall) is None:
        raise UsageError(f"hall 写的厅 {hall} 不在通讯录里")
    await web_of(request).calendar()  # takes up what came into force meanwhile
    policy, calendar = app.current_policy(hall), app.calendar(hall, department)
    found = await web_of(request).run(
        lambda: dues.due(begin, days=days, kind=kind, pauses=pauses, policy=policy, calendar=calendar)
    )
    return answer(found.model_dump(mode="json"))


@router.get(
    "/v1/calendar/{year}",
    tags=["calendar"],
    summary="一年的工作日历",
    description=(
        "不用密钥。days 是与平常周一至周五不同的日子：放假和调休上班。status 为 projected 时，"
        "当年的放假通知还没有发布，只有法定节假日。"
    ),
    response_model=CalendarOut,
    responses={
        **example(_YEAR),
        **problems(404, 422, _404="没有 1999 年的日历（2000–2050）。", _422="year 要是整数。"),
    },
)
async def get_calendar(
    request: Request,
    year: Annotated[int, Path(description="公历年", examples=[2026])],
    name: Annotated[
        Text | None, Query(description="哪一个日历（通讯录里厅或科室的 calendar），默认 main", examples=["main"])
    ] = None,
) -> Response:
    calendar, app = await web_of(request).calendar(), web_of(request).app
    if name is not None:
        if name not in {*app.calendar_names(), *app.calendars.changes}:
            raise NotFoundError(f"没有日历 {name}。")
        calendar = app.calendars.change(name).calendar
    return answer(_year(calendar, year).model_dump(mode="json"))


def _year(calendar: Calendar, year: int) -> CalendarOut:
    first, last = calendar.first.year, calendar.last.year
    if not first <= year <= last:
        raise NotFoundError(f"没有 {year} 年的日历（{first}–{last}）。")
    known = calendar.years().get(year)
    days = calendar.named_days(year)
    begin, end = calendar.first.replace(year=year), calendar.last.replace(year=year)
    return CalendarOut(
        year=year,
        status=(known.status if known else YearStatus.UNKNOWN).value,
        source=known.source if known else "",
        working_days=calendar.between(begin, end) + calendar.is_working(begin),
        days=tuple(CalendarDayOut(date=d.on, kind=d.kind.value, name=d.name, source=d.source) for d in days),
    )


@router.get(
    "/healthz",
    tags=["health"],
    summary="进程还在吗",
    response_model=HealthOut,
    responses=example({"status": "ok"}),
)
async def healthz() -> Response:
    return answer({"status": "ok"})


@router.get(
    "/readyz",
    tags=["health"],
    summary="能收事件吗",
    description="数据库连得上，表结构是本程序要的版本。",
    response_model=HealthOut,
    responses={
        **example({"status": "ok"}),
        503: {
            "model": HealthOut,
            "description": "现在不能",
            "content": {"application/json": {"example": {"status": "unavailable", "problem": "数据库连不上。"}}},
        },
    },
)
async def readyz(request: Request) -> Response:
    problem = await web_of(request).probe()
    if problem is None:
        return answer({"status": "ok"})
    response = answer({"status": "unavailable", "problem": problem}, 503)
    response.headers["Retry-After"] = str(RETRY_AFTER)
    return response
