"""Which column of a register is what: written in a mapping file, or guessed from the titles."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, field_validator

from schemas.event_data import KindName, OutcomeName, PauseReason
from schemas.files import Document, FileModel, FileProblems, read
from sla_service.errors import ConfigError
from sla_service.services.register_cells import zone_of
from sla_service.services.register_sheets import SheetRow

#: Field -> what it is called, and titles that mean it, the surest first.
FIELDS: Mapping[str, tuple[str, ...]] = {
    field: tuple(titles.split())
    for field, titles in {
        "no": "办件编号 受理编号 受理号 办件号 问题编号 案件编号 工单编号 工单号 单号 申请编号 业务流水号 流水号 "
        "受理单编号 问题受理单编号 编号 no caseno casenumber caseid",
        "accepted": "受理时间 受理日期 收件时间 收件日期 接件时间 接件日期 登记时间 登记日期 来件时间 来件日期 "
        "接收时间 提交时间 申请时间 申请日期 accepted acceptedat received receivedat",
        "closed": "办结时间 办结日期 实际办结时间 实际办结日期 完成时间 完成日期 结案时间 结案日期 办理完成时间 "
        "closed closedat finishedat",
        "kind": "类别 办件类别 问题类别 事项类别 办件类型 问题类型 事项类型 类型 kind",
        "title": "事由 标题 问题描述 问题 诉求内容 诉求 反映问题 主要内容 内容 title",
        "matter": "事项名称 事项 办理事项 业务事项 服务事项 matter",
        "department": "承办科室 科室 办理科室 承办部门 责任部门 办理部门 部门 承办单位 责任单位 department dept",
        "handler": "承办人 承办人员 经办人 经办人员 办理人 办理人员 责任人 处理人 工号 handler",
        "applicant_name": "申请人 当事人 申请人姓名 当事人姓名 群众姓名 来访人 办事人 姓名 applicant",
        "applicant_phone": "联系电话 申请人电话 当事人电话 手机号码 手机号 手机 电话 联系方式 phone",
        "wanted_by": "期望办结时间 期望办结日期 希望办结日期 期望时间 wantedby",
        "limit_days": "办理时限 承诺时限 时限 limitdays",
        "reason": "延时理由 延时原因 特殊原因",
        "informed": "告知时间 告知日期 告知当事人时间 applicantinformedat",
        "outcome": "办理结果 处理结果 办结结果 结果 outcome",
        "replied": "答复时间 答复日期 回复时间 回复日期 反馈时间 repliedat replied",
        "note": "办结说明 办理情况 备注 note",
        "paused": "挂起时间 挂起日期 暂停时间 中止时间 pausedat paused",
        "resumed": "恢复时间 恢复日期 resumedat resumed",
        "pause_reason": "挂起原因 挂起理由 暂停原因 pausereason",
    }.items()
}

#: Words in cells -> fixed names.
WORDS: Mapping[str, str] = {
    word: meaning
    for meaning, words in {
        "simple": "简单事项 简单 简单问题 simple",
        "complex": "复杂问题 复杂 复杂事项 complex",
        "special": "特殊问题 特殊 特殊事项 special",
        "resolved": "办结 已办结 办成 已办成 已解决 解决 办理成功 resolved",
        "explained": "已解释 解释 解释说明 不予办理 explained",
        "transferred": "转办 已转办 移交 已移交 transferred",
        "withdrawn": "撤回 已撤回 撤件 撤销申请 withdrawn",
        "hearing": "听证 hearing",
        "tender": "招标 tender",
        "auction": "拍卖 auction",
        "inspection": "检验 inspection",
        "test": "检测 test",
        "quarantine": "检疫 quarantine",
        "appraisal": "鉴定 appraisal",
        "expert_review": "专家评审 expert_review",
        "supplement": "补正 补正材料 supplement",
        "other": "其他 other",
    }.items()
    for word in words.split()
}
_NEEDED = ("no", "accepted")
_LOOK = 30  # rows in which the titles are looked for
_MOST = 12  # titles in one sentence
_FIXED = frozenset(w for names in (KindName, OutcomeName, PauseReason) for w in get_args(names))


class Columns(FileModel):
    """Titles of columns, as they stand in the register."""

    no: str
    accepted: str
    closed: str | None = None
    kind: str | None = None
    title: str | None = None
    matter: str | None = None
    department: str | None = None
    handler: str | None = None
    applicant_name: str | None = None
    applicant_phone: str | None = None
    wanted_by: str | None = None
    limit_days: str | None = None
    reason: str | None = None
    informed: str | None = None
    outcome: str | None = None
    replied: str | None = None
    note: str | None = None
    paused: str | None = None
    resumed: str | None = None
    pause_reason: str | None = None


class RegisterMap(FileModel):
    """A mapping file. Without ``columns`` they are guessed."""

    columns: Columns | None = None
    time_zone: str = "+08:00"
    words: dict[str, str] = Field(default_factory=dict)
    source: str | None = None
    sheet: str | None = None
    outcome: OutcomeName = "resolved"  # where no column says how a case ended
    replied: Literal["column", "closed"] = "column"  # closed: closing is the answer

    @field_validator("time_zone", mode="after")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            zone_of(name)
        except ValueError:
            raise ValueError("要写时区，例如 +08:00 或 Asia/Shanghai") from None
        return name


def load_map(path: Path) -> RegisterMap:
    """The mapping file; ConfigError lists everything that is wrong in it, with lines."""
    try:
        return read(path.read_bytes(), str(path)).load(RegisterMap, _check_words)
    except FileProblems as e:
        raise ConfigError(str(e)) from None


def _check_words(document: Document, loaded: RegisterMap) -> None:
    for word, meaning in loaded.words.items():
        if meaning not in _FIXED:
            known = "、".join(sorted(_FIXED))
            document.complain(("words", word), f"words 里“{word}”的意思要写 {known} 之一，现在是 {meaning}。")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each field stands: its column from 0 and its title. ``last`` is the row of the titles."""

    at: Mapping[str, int]
    titles: Mapping[str, str]
    unused: tuple[str, ...]
    last: int


def layout(rows: Sequence[SheetRow], columns: Columns | None) -> Layout | None:
    """The layout of a table by its first rows; None if they hold no titles of a register.

    Titles may stand below others (a merged 受理 over 时间), so each row is tried alone and with the one above.
    """
    wanted = columns.model_dump(exclude_none=True) if columns is not None else None
    best: Layout | None = None
    for row, names in _candidates(rows[:_LOOK]):
        found = _matched(names, {f: (t,) for f, t in wanted.items()} if wanted else FIELDS)
        whole = all(f in found for f in (wanted or _NEEDED))
        if whole and (best is None or len(found) > len(best.at)):
            titles = {f: _title(names[i], f) for f, i in found.items()}
            unused = tuple(n[0] for i, n in enumerate(names) if n and n[0] and i not in found.values())
            best = Layout(found, titles, unused, row.number)
    return best


def no_layout(shown: str, rows: Sequence[SheetRow], columns: Columns | None) -> ConfigError:
    """Why there is no layout: what was looked for, and what stands there."""
    seen = max(rows[:_LOOK], key=lambda r: sum(bool(_plain(c)) for c in r.cells), default=None)
    titles = [str(c).strip() for c in seen.cells if _plain(c)][:_MOST] if seen else []
    have = f"看到的是：{'、'.join(titles)}" if titles else "里面没有内容"
    if columns is None:
        return ConfigError(
            f"{shown} 里没有找到表头（至少要有办件编号和受理时间两列），{have}；可以用 --map 写明哪一列是什么。"
        )
    names = {_plain(t) for t in titles}
    missing = [t for t in columns.model_dump(exclude_none=True).values() if _plain(t) not in names]
    return ConfigError(f"{shown} 里没有列“{'”、“'.join(missing)}”，{have}。")


def _candidates(rows: Sequence[SheetRow]) -> Iterator[tuple[SheetRow, list[list[str]]]]:
    """Rows that may be the titles, with the names that each column then has."""
    before: SheetRow | None = None
    for row in rows:
        if row.empty:
            continue
        own = [str(c).strip() if c is not None else "" for c in row.cells]
        yield row, [[n] if n else [] for n in own]
        if before is not None:
            yield row, _joined([str(c).strip() if c is not None else "" for c in before.cells], own)
        before = row


def _joined(above: list[str], own: list[str]) -> list[list[str]]:
    """Names under headings that span columns: 时间 under 受理情况 is 受理时间 too."""
    names: list[list[str]] = []
    spanning = ""
    for i in range(max(len(above), len(own))):
        head = above[i] if i < len(above) else ""
        name = own[i] if i < len(own) else ""
        spanning = head or spanning
        if not name:
            names.append([head] if head else [])
            continue
        short = re.sub(r"(信息|情况|环节)$", "", spanning)
        names.append([name, *([f"{short}{name}", f"{spanning}{name}"] if spanning and spanning != name else [])])
    return names


def _matched(names: Sequence[Sequence[str]], wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Field -> column, each column once; of several that fit, the surest title."""
    plain = [[_plain(n) for n in column] for column in names]
    found: dict[str, int] = {}
    for field, titles in wanted.items():
        for title in titles:
            at = next((i for i, c in enumerate(plain) if _plain(title) in c and i not in found.values()), None)
            if at is not None:
                found[field] = at
                break
    return found


def _title(names: Sequence[str], field: str) -> str:
    """How a column is called to people: with its heading, where the heading is what tells it."""
    known = {_plain(t) for t in FIELDS[field]}
    return next((n for n in names if _plain(n) in known), names[0])


@lru_cache(maxsize=4096)
def _plain(title: Any) -> str:
    """The form in which titles are compared: without width, case, blanks, marks and what stands in brackets."""
    text = unicodedata.normalize("NFKC", str(title or "")).casefold()
    return re.sub(r"[\s*:_\-]", "", re.sub(r"[(\[【].*?[)\]】]", "", text))
