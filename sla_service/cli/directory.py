"""``sla directory``: who works where, and who stands in for whom."""

from __future__ import annotations

from typing import Any

import click

from sla_service.cli import words
from sla_service.cli.chinese import examples
from sla_service.cli.directory_change import handover, import_, substitute
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import read_settings
from sla_service.cli.tables import Column, show
from sla_service.cli.where_database import with_database
from sla_service.delivery.text import mask_phones
from sla_service.domain.directory import Directory, Person
from sla_service.services import handing_over
from sla_service.services.config import configuration


@click.group(
    help="通讯录：人员、科室、角色、代班；导入名单，移交在办件。",
    epilog=examples(
        "sla directory show",
        "sla directory import 人员.xlsx",
        "sla directory substitute lisi --by zhangsan --from 2026-11-01 --to 2026-11-07",
        "sla directory handover zhangsan --to lisi",
    ),
)
def directory() -> None:
    """Commands about directory.yaml."""


@directory.command(
    name="show",
    help="列出人员、科室、全厅岗位和代班；手机号打码。",
    epilog=examples("sla directory show", "sla directory show --json"),
)
@json_option
def show_(as_json: bool) -> None:
    found = configuration(read_settings()).directory
    left = with_database(handing_over.gone, without="没有查在办件的承办人。") or []
    if as_json:
        emit(_plain(found) | {"gone": [one._asdict() for one in left]})
        return
    many = len(found.halls) > 1
    hall = [Column("厅")] if many else []
    click.echo("人员")
    titles = [Column("编号"), Column("姓名"), Column("科室", flexible=True), Column("别名", flexible=True)]
    show(
        [*titles, Column("手机"), Column("企业微信"), *hall],
        [
            [p.id, p.name, p.department or "", "、".join(p.aliases), _phone(p), p.wecom or "", *([p.hall] * many)]
            for p in found.people
        ],
    )
    click.echo("\n科室")
    own = any(d.calendar for d in found.departments)
    show(
        [Column("科室", flexible=True), Column("科长"), Column("分管局长"), *([Column("日历")] * own), *hall],
        [
            [d.id, _name(found, d.head), _name(found, d.leader), *([d.calendar or ""] * own), *([d.hall] * many)]
            for d in found.departments
        ],
    )
    click.echo("\n全厅岗位")
    rows = [
        [words.ROLES.get(role, role), "、".join(_name(found, i) for i in ids), *([place] * many)]
        for (place, role), ids in found.roles.items()
    ]
    show([Column("岗位"), Column("人员", flexible=True), *hall], rows)
    if found.absences:
        click.echo("\n请假与代班（首尾两天都算）")
        away = [[_name(found, a.who), _name(found, a.by), str(a.first), str(a.last)] for a in found.absences]
        show([Column("谁"), Column("代班"), Column("从"), Column("到")], away)
    if left:
        click.echo("\n不在通讯录里（或分不清是谁）、还有在办件的承办人")
        titles = [Column("办件上的承办人"), Column("科室", flexible=True), Column("在办", right=True), *hall]
        show(titles, [[o.handler, o.department or "", str(o.n), *([o.hall] * many)] for o in left])
        click.echo("\n移交给别人：sla directory handover 承办人 --to 接手的人")


def _phone(person: Person) -> str:
    return mask_phones(person.phone) if person.phone else ""


def _name(found: Directory, id_: str | None) -> str:
    person = found.person(id_) if id_ else None
    return f"{person.name}（{id_}）" if person else (id_ or "—")


def _plain(found: Directory) -> dict[str, Any]:
    return {
        "halls": [{"id": h.id, "name": h.name, "calendar": h.calendar, "policy": h.policy} for h in found.halls],
        "people": [
            {
                "id": p.id,
                "name": p.name,
                "aliases": list(p.aliases),
                "phone": _phone(p) or None,
                "wecom": p.wecom,
                "department": p.department,
                "hall": p.hall,
            }
            for p in found.people
        ],
        "departments": [
            {"id": d.id, "head": d.head, "leader": d.leader, "hall": d.hall, "calendar": d.calendar}
            for d in found.departments
        ],
        "roles": [{"hall": hall, "role": role, "people": list(ids)} for (hall, role), ids in found.roles.items()],
        "absences": [{"who": a.who, "by": a.by, "from": a.first, "to": a.last} for a in found.absences],
    }


for _command in (import_, substitute, handover):
    directory.add_command(_command)
