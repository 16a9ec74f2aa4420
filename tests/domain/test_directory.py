"""Whom an alert reaches: names, substitutes, and the fall to the next role."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.domain.directory import Absence, Department, Directory, Person, Receivers
from sla_service.domain.policy import Role

MONDAY = date(2026, 11, 2)

PEOPLE = (
    Person("zhangsan", "张三", ("10023",), "13800000001", "zhangsan", "社会事务科"),
    Person("lisi", "李四", ("10024",), "13800000002", "lisi", "社会事务科"),
    Person("wangwu", "王五", (), "13800000003", "wangwu", "社会事务科"),
    Person("zhaoliu", "赵六", (), None, None, "市场监管科"),
    Person("sunqi", "孙七", (), None, None, "市场监管科"),
    Person("chief", "钱站长"),
    Person("committee", "周书记"),
    Person("guard", "吴值班"),
    Person("same1", "陈一", (), None, None, "社会事务科"),
    Person("same2", "陈一", (), None, None, "市场监管科"),
    Person("other", "张三", (), None, None, "社会事务科", "north"),
)
DEPARTMENTS = (
    Department("社会事务科", head="lisi", leader="wangwu"),
    Department("市场监管科", head="sunqi"),
    Department("综合科"),
    Department("社会事务科", head="other", hall="north"),
)
ROLES = {
    ("main", Role.STATION_CHIEF): ("chief",),
    ("main", Role.JOINT_COMMITTEE): ("committee",),
    ("main", Role.DUTY): ("guard",),
}
FULL = Directory(PEOPLE, DEPARTMENTS, ROLES)
BARE = Directory(PEOPLE[:2], DEPARTMENTS[:1])


def told(found: Receivers) -> list[tuple[str, str]]:
    return [(person.id, str(role)) for person, role in found.people]


def ask(directory: Directory, role: str, handler: str | None, department: str | None, **over: object) -> Receivers:
    return directory.receivers(
        role,
        handler=handler,
        department=department,
        hall=str(over.get("hall", "main")),
        on=MONDAY,
        before_breach=bool(over.get("before", False)),
    )


@pytest.mark.parametrize(
    ("who", "department", "hall", "id_"),
    [
        ("zhangsan", None, "main", "zhangsan"),
        ("ZhangSan", None, "main", "zhangsan"),  # WeCom ids come back in lower case
        ("10023", None, "main", "zhangsan"),
        ("１００２３", None, "main", "zhangsan"),  # full-width digits of a Chinese input method
        ("张三", None, "main", "zhangsan"),
        ("张　三", None, "main", "zhangsan"),  # two-character names are padded in lists
        ("陈一", "市场监管科", "main", "same2"),
        ("陈一", "社会事务科", "main", "same1"),
        ("陈一", None, "main", None),  # could be either
        ("陈一", "综合科", "main", None),
        ("same1", "市场监管科", "main", "same1"),  # an id leaves no doubt
        ("张三", None, "north", "other"),
        ("lisi", None, "north", None),  # people of another hall are strangers
        ("nobody", None, "main", None),
        ("", None, "main", None),
        ("  ", None, "main", None),
    ],
)
def test_a_handler_is_found_by_id_alias_or_name(who: str, department: str | None, hall: str, id_: str | None) -> None:
    found = FULL.find(who, department, hall)
    assert (found and found.id) == id_


def test_an_id_comes_before_anothers_name() -> None:
    directory = Directory((Person("a", "b"), Person("b", "c")))
    assert directory.find("b") == Person("b", "c")


@pytest.mark.parametrize(
    ("on", "acting"),
    [
        (date(2026, 10, 31), "lisi"),
        (date(2026, 11, 1), "zhangsan"),  # the first day is included
        (date(2026, 11, 4), "sunqi"),  # the substitute is away himself
        (date(2026, 11, 7), "zhangsan"),  # so is the last
        (date(2026, 11, 8), "lisi"),
    ],
)
def test_absences_include_both_ends_and_are_followed_through(on: date, acting: str) -> None:
    away = (
        Absence("lisi", "zhangsan", date(2026, 11, 1), date(2026, 11, 7)),
        Absence("zhangsan", "sunqi", date(2026, 11, 3), date(2026, 11, 5)),
    )
    directory = Directory(PEOPLE, DEPARTMENTS, ROLES, away)
    assert directory.substitute(PEOPLE[1], on).id == acting


def test_substitutes_in_a_circle_leave_everybody_to_himself_and_are_reported() -> None:
    away = (
        Absence("lisi", "zhangsan", date(2026, 11, 1), date(2026, 11, 7)),
        Absence("zhangsan", "lisi", date(2026, 11, 2), date(2026, 11, 2)),
    )
    directory = Directory(PEOPLE, DEPARTMENTS, ROLES, away)
    assert directory.substitute(PEOPLE[1], MONDAY) == PEOPLE[1]
    assert directory.circles() == ((away[0], MONDAY), (away[1], MONDAY))
    found = ask(directory, Role.SECTION_HEAD, "wangwu", "社会事务科")
    assert told(found) == [("lisi", "section_head")]
    assert [(f.code, f.text) for f in found.fell] == [("substitute_circle", "李四的代班人互相代班，仍通知本人")]
    assert Directory(PEOPLE, absences=away[:1]).circles() == ()


# directory, role, handler, department, before the breach -> who is told as what, codes of the falls
REACHES = [
    # everybody there
    (FULL, "handler", "zhangsan", "社会事务科", True, [("zhangsan", "handler")], []),
    (FULL, "handler", "10023", None, False, [("zhangsan", "handler")], []),
    (FULL, "section_head", "zhangsan", "社会事务科", True, [("lisi", "section_head")], []),
    (FULL, "station_chief", "zhangsan", "社会事务科", False, [("chief", "station_chief")], []),
    (FULL, "bureau_leader", "zhangsan", "社会事务科", False, [("wangwu", "bureau_leader")], []),
    (FULL, "joint_committee", "zhangsan", None, False, [("committee", "joint_committee")], []),
    (FULL, "duty", "zhangsan", None, False, [("guard", "duty")], []),
    # the case's department comes first, else the handler's
    (FULL, "section_head", "zhangsan", "市场监管科", False, [("sunqi", "section_head")], []),
    (FULL, "section_head", "zhangsan", None, False, [("lisi", "section_head")], []),
    (FULL, "section_head", "zhangsan", "撤销的科", False, [("lisi", "section_head")], []),
    # before the breach: section head, then duty, never higher
    (FULL, "handler", None, "社会事务科", True, [("lisi", "section_head")], ["no_handler"]),
    (FULL, "handler", "nobody", "社会事务科", True, [("lisi", "section_head")], ["handler_unknown"]),
    (FULL, "handler", "陈一", "综合科", True, [("guard", "duty")], ["handler_ambiguous", "role_empty"]),
    (FULL, "handler", None, None, True, [("guard", "duty")], ["no_handler", "role_empty"]),
    (FULL, "section_head", "zhangsan", "综合科", True, [("guard", "duty")], ["role_empty"]),
    (FULL, "section_head", "lisi", "社会事务科", True, [("guard", "duty")], ["own_case"]),
    (BARE, "handler", None, None, True, [], ["no_handler", "role_empty", "role_empty", "no_receiver"]),
    (BARE, "section_head", "lisi", None, True, [], ["own_case", "role_empty", "no_receiver"]),
    # from the breach on: the next role up
    (FULL, "handler", None, "社会事务科", False, [("lisi", "section_head")], ["no_handler"]),
    (FULL, "handler", None, "综合科", False, [("chief", "station_chief")], ["no_handler", "role_empty"]),
    (FULL, "section_head", "sunqi", "市场监管科", False, [("chief", "station_chief")], ["own_case"]),
    (FULL, "bureau_leader", "zhaoliu", "市场监管科", False, [("committee", "joint_committee")], ["role_empty"]),
    (FULL, "bureau_leader", "wangwu", "社会事务科", False, [("committee", "joint_committee")], ["own_case"]),
    (FULL, "joint_committee", "committee", None, False, [("guard", "duty")], ["own_case"]),
    (FULL, "duty", "guard", None, False, [("chief", "station_chief")], ["own_case"]),
    (BARE, "station_chief", "zhangsan", None, False, [], ["role_empty"] * 4 + ["no_receiver"]),
]


@pytest.mark.parametrize(("directory", "role", "handler", "department", "before", "people", "codes"), REACHES)
def test_an_alert_reaches_the_role_or_falls_with_a_finding(
    directory: Directory,
    role: str,
    handler: str | None,
    department: str | None,
    before: bool,
    people: list[tuple[str, str]],
    codes: list[str],
) -> None:
    found = ask(directory, role, handler, department, before=before)
    assert told(found) == people
    assert [f.code for f in found.fell] == codes


@pytest.mark.parametrize(
    ("role", "handler", "department", "before", "texts"),
    [
        ("handler", None, "社会事务科", True, ["本件没有承办人，改为通知科长李四"]),
        ("handler", "nobody", "社会事务科", True, ["通讯录里没有承办人“nobody”，改为通知科长李四"]),
        (
            "handler",
            "陈一",
            "综合科",
            True,
            ["通讯录里有 2 个“陈一”，分不清是谁，改为通知值班员吴值班", "综合科没有科长，改为通知值班员吴值班"],
        ),
        ("section_head", None, "撤销的科", False, ["通讯录里没有科室“撤销的科”，改为通知站长钱站长"]),
        ("section_head", None, None, False, ["本件没有科室，找不到科长，改为通知站长钱站长"]),
        ("section_head", "lisi", "社会事务科", False, ["科长李四就是本件的承办人，改为通知站长钱站长"]),
        ("bureau_leader", "zhaoliu", "市场监管科", False, ["通讯录里没有局长，改为通知联合党委周书记"]),
    ],
)
def test_a_fall_says_why_and_who_was_told_instead(
    role: str, handler: str | None, department: str | None, before: bool, texts: list[str]
) -> None:
    assert [f.text for f in ask(FULL, role, handler, department, before=before).fell] == texts


def test_nobody_at_all_is_said_too() -> None:
    found = ask(Directory(), Role.HANDLER, "zhangsan", None, before=True)
    assert found.people == ()
    assert found.fell[-1].text == "承办人、科长、值班员都没有人可通知，请补全通讯录"


def test_a_substitute_receives_in_the_role_of_the_absent() -> None:
    directory = Directory(PEOPLE, DEPARTMENTS, ROLES, (Absence("zhangsan", "lisi", MONDAY, MONDAY),))
    assert told(ask(directory, Role.HANDLER, "zhangsan", None)) == [("lisi", "handler")]


def test_a_handler_who_stands_in_for_his_head_is_not_told_of_his_own_case() -> None:
    directory = Directory(PEOPLE, DEPARTMENTS, ROLES, (Absence("lisi", "zhangsan", MONDAY, MONDAY),))
    found = ask(directory, Role.SECTION_HEAD, "zhangsan", None)
    assert told(found) == [("chief", "station_chief")]
    assert found.fell[0].text == "科长李四的代班人张三就是本件的承办人，改为通知站长钱站长"


def test_of_several_in_a_role_each_is_told_but_the_handler() -> None:
    roles = {("main", Role.STATION_CHIEF): ("chief", "zhangsan", "lisi")}
    found = ask(Directory(PEOPLE, DEPARTMENTS, roles), Role.STATION_CHIEF, "zhangsan", None)
    assert told(found) == [("chief", "station_chief"), ("lisi", "station_chief")]
    assert found.fell == ()


def test_a_hall_has_its_own_departments_and_roles() -> None:
    assert told(ask(FULL, Role.SECTION_HEAD, None, "社会事务科", hall="north")) == [("other", "section_head")]
    assert told(ask(FULL, Role.STATION_CHIEF, None, "社会事务科", hall="north")) == []


_roles = st.sampled_from([r.value for r in Role])
_who = st.none() | st.sampled_from([p.id for p in PEOPLE] + ["10023", "陈一", "nobody", ""])
_department = st.none() | st.sampled_from(["社会事务科", "市场监管科", "综合科", "撤销的科"])
_held = st.lists(st.sampled_from([p.id for p in PEOPLE if p.hall == "main"]), max_size=2, unique=True).map(tuple)


@given(_roles, _who, _department, st.booleans(), st.dictionaries(_roles.map(lambda r: ("main", r)), _held))
def test_nobody_is_told_of_his_own_case_from_above_and_every_fall_is_said(
    role: str, who: str | None, department: str | None, before: bool, roles: dict[tuple[str, str], tuple[str, ...]]
) -> None:
    directory = Directory(PEOPLE, DEPARTMENTS, roles)
    found = ask(directory, role, who, department, before=before)
    handler = directory.find(who, department) if who else None
    order = [r.value for r in Role]
    for person, as_role in found.people:
        assert as_role == "handler" or handler is None or person.id != handler.id
        assert as_role == role or found.fell
        if before and as_role != role:
            assert as_role in ("section_head", "duty")
        elif as_role != "duty":
            assert order.index(as_role) >= order.index(role) or role == "duty"
    assert found.people or found.fell[-1].code == "no_receiver"
