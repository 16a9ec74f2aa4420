"""``GET /v1/stats``: the figures of a period, of the cases of one source."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from schemas.figures import StatsOut
from sla_service.domain.clock import business_date
from sla_service.services.reporting import report
from sla_service.web.api.params import Caller
from sla_service.web.context import web_of
from sla_service.web.openapi import example, problems
from sla_service.web.problems import answer

router = APIRouter(prefix="/v1", tags=["cases"])

_SUMS: Final = {
    "met": 36,
    "breached": 2,
    "same_day": 1,
    "late_days": 3,
    "longest": 3,
    "withdrawn": 1,
    "accepted": 41,
    "visits": 12,
    "running": 9,
    "overdue": 1,
    "paused": 2,
    "rate": 0.9474,
}


class StatsQuery(BaseModel):
    """The query."""

    model_config = ConfigDict(populate_by_name=True)

    first: date | None = Field(None, alias="from", description="第一天（北京时间），默认本月 1 日")
    last: date | None = Field(None, alias="to", description="最后一天，含当天，默认今天")
    by: Literal["department", "kind", "matter", "handler"] = Field("department", description="按什么分组")


@router.get(
    "/stats",
    summary="统计",
    description=(
        "本来源办件在一段时间里的数字。按时率 = 按时 ÷（按时 + 超期），按期间内办结的轮次算，撤回的不算；"
        "超期算在到期那一刻的承办人头上。"
    ),
    response_model=StatsOut,
    responses={
        **example(
            {
                "from": "2026-11-01",
                "to": "2026-11-30",
                "by": "department",
                "total": _SUMS,
                "groups": [{"name": "社会事务科", **_SUMS}],
            }
        ),
        **problems(401, 422, 429, 503, _422="统计期间要从早到晚，最长十年，现在是 2026-12-01 到 2026-11-01。"),
    },
)
async def get_stats(request: Request, caller: Caller, query: Annotated[StatsQuery, Query()]) -> Response:
    web = web_of(request)
    now = web.clock()
    today = business_date(now)
    last = query.last or today
    first = query.first or last.replace(day=1)
    made = await web.run(lambda: report(web.app, first=first, last=last, now=now, by=(query.by,), source=caller))
    groups = [{"name": name, **figures.plain()} for name, figures in made.tables[query.by].sorted()]
    period = {"from": first.isoformat(), "to": last.isoformat(), "by": query.by}
    return answer({**period, "total": made.total.plain(), "groups": groups})
