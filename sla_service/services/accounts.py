"""Accounts of the pages: made on this machine, opened with a password, locked after wrong ones.

Passwords are kept as argon2id with the least parameters of the OWASP Password Storage Cheat Sheet, so that a county's
small machine checks one in some 20 ms and 19 MiB. Sessions are random, and the database knows their hash only.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.engine import Connection

from schemas.words import near
from sla_service.domain.people import Person
from sla_service.domain.scope import Access, Scope, scope_of
from sla_service.errors import NotFoundError, SlaError, UsageError
from sla_service.services import audit
from sla_service.services.app import App
from sla_service.store import accounts as rows

#: OWASP: argon2id with 19 MiB, two passes, one lane.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY: Final = _HASHER.hash("nobody's password")  # a name that is not there takes as long as one that is

#: Wrong passwords in a row, then so long a rest. Short, for whoever knows a name can bring it about.
TRIES: Final = 5
LOCKED: Final = timedelta(minutes=15)
LEAST: Final = 10  # characters of a password
MOST: Final = 200
_SEEN: Final = timedelta(minutes=1)
_LONGEST_NAME: Final = 100

REFUSED: Final = f"账号或密码不对；连续错 {TRIES} 次后要等 15 分钟再试。忘了密码请管理员运行 sla user password 账号。"


class LoginError(SlaError):
    """Wrong name, wrong password or locked: which of them is nobody's business."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at a page, and what may be shown. ``name`` is empty where pages are open without a login."""

    name: str
    access: Access
    scope: Scope
    csrf: str = ""
    session: str = ""  # hash of the cookie


# -- made and kept by administrators ------------------------------------------------------------------------------


def add(
    app: App, name: str, *, role: str, hall: str | None, person: str | None, password: str | None, now: datetime
) -> str | None:
    """Makes an account; gives the password where it was made up here, the only time that anybody sees it.

    ``person`` is whose cases (staff) or departments (leader) it is about: id, alias or name, by default the account's
    name. Raises UsageError for what cannot be, NotFoundError for a hall or person that the directory does not know.
    """
    if not name or name != name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise UsageError(f"账号名要是 1 到 {_LONGEST_NAME} 个可见字符，前后没有空格。")
    access = Access(role)
    if hall is not None and app.config.directory.hall(hall) is None:
        known = "、".join(h.id for h in app.config.directory.halls)
        raise NotFoundError(f"没有厅 {hall}，通讯录里有 {known}。")
    whose = in_directory(app, person or name, hall) if access in (Access.STAFF, Access.LEADER) else None
    made = None if password is not None else secrets.token_urlsafe(12)
    row = {
        "name": name,
        "role": access.value,
        "hall": whose.hall if whose else hall,
        "person": whose.id if whose else None,
        "hash": _hashed(password if password is not None else str(made)),
        "created_at": now,
        "failures": 0,
    }
    with app.db.write() as conn:
        if not rows.add(conn, row):
            raise SlaError(f"账号 {name} 已经有了；换密码用 sla user password {name}。")
        _note(conn, now, "user.add", name, role=access.value, hall=row["hall"], person=row["person"])
    return made


def in_directory(app: App, text: str, hall: str | None) -> Person:
    """The one person of that id, alias or name. Raises NotFoundError, or UsageError where there are several."""
    directory = app.config.directory
    halls = [hall] if hall is not None else [h.id for h in directory.halls]
    found = {p.id: p for h in halls if (p := directory.find(text, None, h)) is not None}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(f"通讯录里有 {len(found)} 个“{text}”，请写编号：{'、'.join(sorted(found))}。")
    raise NotFoundError(f"通讯录里没有“{text}”；承办人和领导的账号要对应通讯录里的人，请用 --person 写他的编号或姓名。")


def set_password(app: App, name: str, password: str | None, *, now: datetime) -> str | None:
    """A new password, made up here unless given; unlocks the account and ends its sessions."""
    made = None if password is not None else secrets.token_urlsafe(12)
    hashed = _hashed(password if password is not None else str(made))
    with app.db.write() as conn:
        if not rows.change(conn, name, hash=hashed, failures=0, locked_until=None):
            raise _unknown(conn, name)
        rows.close_all(conn, name)
        _note(conn, now, "user.password", name)
    return made


def remove(app: App, name: str, *, now: datetime) -> None:
    with app.db.write() as conn:
        if not rows.remove(conn, name):
            raise _unknown(conn, name)
        _note(conn, now, "user.remove", name)


def listed(app: App, *, now: datetime) -> list[dict[str, Any]]:
    """Every account, never its hash; ``locked`` says that it may not try just now, ``gone`` that its person is."""
    with app.db.read() as conn:
        found = rows.everyone(conn)
    shown = ("name", "role", "hall", "person", "created_at", "last_login_at")
    return [
        {
            **{key: row[key] for key in shown},
            "locked": _locked(row, now),
            "gone": row["person"] is not None and app.config.directory.person(row["person"]) is None,
        }
        for row in found
    ]


def exist(app: App) -> bool:
    with app.db.read() as conn:
        return rows.exist(conn)


# -- login --------------------------------------------------------------------------------------------------------


def login(app: App, name: str, password: str, *, now: datetime) -> str:
    """Opens a session; gives the cookie's value. Raises LoginError, and counts the wrong password."""
    with app.db.read() as conn:
        row = rows.get(conn, name)
    right = _verified(row["hash"] if row else _NOBODY, password) and row is not None  # outside any transaction: slow
    with app.db.write() as conn:
        row = rows.get(conn, name, lock=True)
        if row is None or _locked(row, now) or not right:
            if row is not None and not _locked(row, now):
                _count(conn, row, now)
            elif row is None:
                _note(conn, now, "login", name[:_LONGEST_NAME], "refused", who="web")
            refused = True
        else:
            refused = False
            token = _opened(app, conn, row, password, now)
    if refused:
        raise LoginError(REFUSED)
    return token


def who(app: App, cookie: str, *, now: datetime, touch: bool = True) -> Viewer | None:
    """Whose session this is; None if it is nobody's, or has ended by time. With ``touch`` its idle time begins anew."""
    id_ = _id(cookie)
    with app.db.read() as conn:
        row = rows.session(conn, id_)
    if row is None or row["seen_at"] + _idle(app) <= now or row["created_at"] + _life(app) <= now:
        return None
    if touch and row["seen_at"] + _SEEN <= now:
        with app.db.write() as conn:
            rows.seen(conn, id_, now=now)
    access, directory = Access(row["role"]), app.config.directory
    person = directory.person(row["person"]) if row["person"] is not None else None
    return Viewer(row["account"], access, scope_of(access, row["hall"], person, directory), row["csrf"], id_)


def logout(app: App, viewer: Viewer, *, now: datetime) -> None:
    with app.db.write() as conn:
        rows.close(conn, viewer.session)
        _note(conn, now, "logout", viewer.name, who=f"web:{viewer.name}")


def change_password(app: App, viewer: Viewer, old: str, new: str, *, now: datetime) -> None:
    """By its owner. His other sessions end. Raises LoginError for a wrong old one, UsageError for a weak new one."""
    with app.db.read() as conn:
        row = rows.get(conn, viewer.name)
    right = row is not None and _verified(row["hash"], old)
    hashed = _hashed(new) if right else ""
    with app.db.write() as conn:
        row = rows.get(conn, viewer.name, lock=True)
        if row is not None and right and not _locked(row, now):
            rows.change(conn, viewer.name, hash=hashed)
            rows.close_all(conn, viewer.name, but=viewer.session)
            _note(conn, now, "user.password", viewer.name, who=f"web:{viewer.name}")
            return
        if row is not None and not _locked(row, now):
            _count(conn, row, now)
    raise LoginError("现在的密码不对，没有更改。")


def same_token(viewer: Viewer, given: str) -> bool:
    """Whether a form brought this session's token, compared in constant time."""
    return bool(viewer.csrf) and hmac.compare_digest(viewer.csrf.encode(), given.encode("utf-8", "replace"))


def _opened(app: App, conn: Connection, row: Mapping[str, Any], password: str, now: datetime) -> str:
    token, name = secrets.token_urlsafe(32), row["name"]
    changed: dict[str, Any] = {"failures": 0, "locked_until": None, "last_login_at": now}
    if _HASHER.check_needs_rehash(row["hash"]):
        changed["hash"] = _HASHER.hash(password)
    rows.change(conn, name, **changed)
    rows.sweep(conn, idle_since=now - _idle(app), begun_before=now - _life(app))
    session = {"id": _id(token), "account": name, "csrf": secrets.token_urlsafe(24), "created_at": now, "seen_at": now}
    rows.open_session(conn, session)
    _note(conn, now, "login", name, who=f"web:{name}")
    return token


def _count(conn: Connection, row: Mapping[str, Any], now: datetime) -> None:
    failures = row["failures"] + 1
    locked = now + LOCKED if failures >= TRIES else None
    rows.change(conn, row["name"], failures=0 if locked else failures, locked_until=locked)
    _note(conn, now, "login", row["name"], "locked" if locked else "refused", who="web")


def _locked(row: Mapping[str, Any], now: datetime) -> bool:
    return row["locked_until"] is not None and row["locked_until"] > now


def _verified(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password[: MOST + 1])
    except VerificationError:
        return False


def _hashed(password: str) -> str:
    if not LEAST <= len(password) <= MOST:
        raise UsageError(f"密码要 {LEAST} 到 {MOST} 个字符。")
    return _HASHER.hash(password)


def _id(cookie: str) -> str:
    return hashlib.sha256(cookie.encode("utf-8", "replace")).hexdigest()


def _idle(app: App) -> timedelta:
    return timedelta(minutes=app.settings.session_idle_minutes)


def _life(app: App) -> timedelta:
    return timedelta(hours=app.settings.session_hours)


def _unknown(conn: Connection, name: str) -> NotFoundError:
    close = near(name, (r["name"] for r in rows.everyone(conn)))
    return NotFoundError(f"没有账号 {name}" + (f"，是不是 {close}？" if close else "，已有的见 sla user list。"))


def _note(
    conn: Connection, now: datetime, what: str, subject: str, result: str = "ok", *, who: str = "", **detail: Any
) -> None:
    audit.note(conn, now, who or audit.operator(), what, subject, result, **detail)
