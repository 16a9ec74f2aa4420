"""What ``GET /v1/stats`` answers: the figures of a period."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from schemas.replies import Reply


class FiguresOut(Reply):
    """Sums of one group. ``rate`` = met ÷ (met + breached) over rounds closed in the period; null where none were."""

    met: int = Field(description="期间内办结、按时的件（轮次）")
    breached: int = Field(description="期间内办结、超期的件")
    same_day: int = Field(description="其中到期当天下班后才办结的（超期 0 个工作日）")
    late_days: int = Field(description="超期工作日合计")
    longest: int = Field(description="超期最长的工作日数")
    withdrawn: int = Field(description="期间内撤回的件，不算入按时率")
    accepted: int = Field(description="期间内受理的件")
    visits: int = Field(description="期间内现场解答的来访（visit.answered）")
    running: int = Field(description="现在在办的件")
    overdue: int = Field(description="其中现在已超期的")
    paused: int = Field(description="现在挂起的件")
    rate: float | None = Field(description="按时率，0 到 1")


class GroupOut(FiguresOut):
    name: str = Field(description="分组的名称")


class StatsOut(Reply):
    """``GET /v1/stats``."""

    first: date = Field(alias="from", description="期间第一天")
    last: date = Field(alias="to", description="期间最后一天")
    by: str
    total: FiguresOut
    groups: tuple[GroupOut, ...]
