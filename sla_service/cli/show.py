"""``sla show``: one case, all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from sla_service import systime
from sla_service.cli import accounts, words
from sla_service.cli.cases import left
from sla_service.cli.chinese import examples
from sla_service.cli.opening import opened
from sla_service.cli.output import emit, json_option
from sla_service.cli.tables import Cell, Column, Row, lines, pairs, terminal_width
from sla_service.cli.wide import wrap
from sla_service.domain import masking
from sla_service.domain.directory import Directory
from sla_service.services import event_words, messages
from sla_service.services import words as said
from sla_service.services.dossier import Dossier, dossier

_STATE_COLORS = {"failed": "red", "unknown": "red", "queued": "yellow", "suppressed": "bright_black"}


@click.command(
    help="看一件办件：现状、计时和逐日账、经过、接下来的提醒、发过的消息。\n\nSOURCE 是来源，NO 是办件编号。",
    epilog=examples("sla show hall BBC-2026-0001", "sla show hall '〔2026〕3号' --json"),
)
@click.argument("source", metavar="SOURCE")
@click.argument("no", metavar="NO")
@json_option
def show(source: str, no: str, as_json: bool) -> None:
    with opened() as app:
        found = dossier(app, source, no, now=systime.now())
        directory = app.config.directory
    if as_json:
        emit(_plain(found))
        return
    room = terminal_width()
    for section in (_head, _clocks, _ahead, _history, _messages):
        for line in section(found, directory, room):
            click.echo(line)


def _head(found: Dossier, directory: Directory, room: int | None) -> Iterator[str]:
    case = found.case
    light = words.LIGHTS[case["light"]]
    yield (
        click.style(f"{case['source']}  {case['no']}", bold=True)
        + f"  {case['title'] or case['matter'] or ''}".rstrip()
    )
    state = words.STATES[case["state"]]
    rows: list[tuple[str, str | Cell]] = [("状态", f"{state}，{light.text}灯" if case["light"] != "grey" else state)]
    if case["due_on"]:
        held = f"（暂定，最早 {case['due_earliest']}，最晚 {case['due_latest']}）" if case["provisional"] else ""
        rows.append(("到期", f"{words.day(case['due_on'])} {_due_time(case)}{held}"))
        rows.append(("判定" if case["state"] == "closed" else "剩余", left(case)))
    rows += [
        ("类别", words.KINDS.get(case["kind"] or "", "未分类")),
        ("事项", case["matter"] or "—"),
        ("科室", case["department"] or "—"),
        ("承办人", _who(directory, found)),
        ("受理", words.moment(case["accepted_at"])),
    ]
    if case["closed_at"]:
        outcome = words.OUTCOMES.get(found.row["outcome"] or "", "")
        rows.append(("办结", f"{words.moment(case['closed_at'])} {outcome}".rstrip()))
    rows += [("异常", Cell(f["text"], "yellow")) for f in case["findings"]]
    yield from pairs(rows, room=room, indent="  ")


def _due_time(case: Mapping[str, Any]) -> str:
    return "24:00" if case["due_at"][:10] != case["due_on"] else str(case["due_at"][11:16])


def _who(directory: Directory, found: Dossier) -> str:
    handler = found.case["handler"]
    if not handler:
        return "—"
    person = directory.find(handler, found.case["department"], found.case["hall"])
    if person is None:
        return f"{handler}（通讯录里没有）"
    return person.name if person.name == handler else f"{person.name}（{handler}）"


def _clocks(found: Dossier, _directory: Directory, room: int | None) -> Iterator[str]:
    yield "\n计时"
    for i, clock in enumerate(found.account.clocks):
        yield from (f"  {line}" for line in wrap(clock.text, _less(room) or 10_000))
        if i == 0:  # the newest round of what was promised; the others are told in a sentence
            yield from ("  " + line for line in lines(accounts.COLUMNS, accounts.rows(clock.account), room=_less(room)))


def _ahead(found: Dossier, _directory: Directory, room: int | None) -> Iterator[str]:
    if not found.timers:
        return
    yield "\n接下来"
    rows: list[Row] = []
    for timer in found.timers:
        name = words.TARGETS.get(timer.target, timer.target)
        for planned in timer.steps:
            step = planned.step
            again = f"，每 {step.repeat} 个工作日一次" if step.repeat else ""
            to = "、".join(words.ROLES.get(r, r) for r in step.to)
            rows.append([words.moment(planned.at), name, said.step(step.key) + again, to])
        if not timer.steps:
            rows.append([words.moment(timer.next_at), name, "查看是否超期" if timer.next_at else "没有要做的了", ""])
    yield from _table([Column("何时"), Column("目标"), Column("提醒"), Column("通知谁", flexible=True)], rows, room)


def _history(found: Dossier, directory: Directory, room: int | None) -> Iterator[str]:
    yield "\n经过"
    dated: list[tuple[datetime, list[str | Cell]]] = []
    for event in found.events:
        head, text = event_words.event(event["type"], event["data"])
        status = event_words.STATUS.get(event["status"])
        note = f"{status}：{event['problem']}" if status else ""
        dated.append((event["time"], [head, text, Cell(note, "yellow")]))
    for change in found.journal:
        what, text = event_words.change(change, directory)
        dated.append((change["at"], [what, text, ""]))
    rows: list[Row] = [[words.moment(at), *row] for at, row in sorted(dated, key=lambda d: d[0])]
    columns = [Column("时间"), Column("事件"), Column("内容", flexible=True), Column("结果", flexible=True)]
    yield from _table(columns, rows, room)


def _messages(found: Dossier, directory: Directory, room: int | None) -> Iterator[str]:
    yield "\n消息"
    if not found.messages:
        yield "  还没有发过。"
        return
    rows: list[Row] = []
    for message in found.messages:
        told = "；".join(messages.became(message, message))
        result = Cell(told, _STATE_COLORS.get(message["state"]))
        who, channel = messages.who(directory, message), said.channel(message["channel"])
        rows.append([words.moment(messages.at(message)), said.step(message["step"]), who, channel, result])
    columns = [Column("时间"), Column("提醒"), Column("谁", flexible=True), Column("渠道")]
    yield from _table([*columns, Column("结果", flexible=True)], rows, room)


def _table(columns: list[Column], rows: list[Row], room: int | None) -> Iterator[str]:
    return ("  " + line for line in lines(columns, rows, room=_less(room)))


def _less(room: int | None) -> int | None:
    return room - 2 if room else None


def _plain(found: Dossier) -> dict[str, Any]:
    return {
        "case": found.case,
        "clocks": found.account.model_dump(mode="json")["clocks"],
        "timers": [
            {
                "target": t.target,
                "round": t.round,
                "next_at": words.instant(t.next_at),
                "steps": [
                    {"step": p.step.key, "at": words.instant(p.at), "to": list(p.step.to), "repeat": p.step.repeat}
                    for p in t.steps
                ],
            }
            for t in found.timers
        ],
        "events": [
            {
                "id": e["id"],
                "type": e["type"],
                "time": words.instant(e["time"]),
                "status": e["status"],
                "problem": e["problem"],
                "data": _masked(e["data"]),
                "received_at": words.instant(e["received_at"]),
                "door": e["door"],
            }
            for e in found.events
        ],
        "journal": [{"at": words.instant(j["at"]), "what": j["what"], "detail": j["detail"]} for j in found.journal],
        "messages": [
            {
                "id": str(m["id"]),
                "target": m["target"],
                "step": m["step"],
                "role": m["role"],
                "to": m["recipient"],
                "channel": m["channel"],
                "state": m["state"],
                "reason": m["reason"],
                "planned_at": words.instant(m["planned_at"]),
                "not_before": words.instant(m["not_before"]),
                "attempts": m["attempts"],
                "outcome": m["outcome"],
                "code": m["code"],
            }
            for m in found.messages
        ],
    }


def _masked(data: Mapping[str, Any]) -> dict[str, Any]:
    """An event's data with the applicant's name and number masked (赵*, 138****0000)."""
    plain = dict(data)
    if isinstance(plain.get("applicant"), Mapping):
        plain["applicant"] = masking.applicant(plain["applicant"])
    return plain
