"""Applicants' data: sealed at rest when SLA_DATA_KEY is set, shown masked, erased on request and when its time is up.

Only ``data.applicant`` of an event is applicants' data to this service; whatever a sender writes into titles and notes
it cannot know. What is sealed keeps its masked form beside it, so that showing it needs no key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.engine import Connection

from sla_service.domain import masking
from sla_service.errors import NotFoundError, SlaError
from sla_service.services import audit
from sla_service.services.app import App
from sla_service.settings import Settings
from sla_service.store import facts, personal

FORM = "v1"
_ERASED = " 已删除"
_DONE_UP_TO = "applicants_erased"
_KEPT_UP_TO = "bodies_erased"
_PAGE = 500
_HOURLY = timedelta(hours=1)


class Vault:
    """AES-256-GCM under a key derived from SLA_DATA_KEY; the old key still opens while it is being replaced."""

    def __init__(self, current: str, *others: str) -> None:
        self._ciphers = {_key_id(k): AESGCM(_derived(k)) for k in (*others, current)}
        self.key_id = _key_id(current)

    def seal(self, text: str, bound_to: str) -> str:
        """``bound_to`` (source and id) is part of the seal: moved to another row it no longer opens."""
        nonce = os.urandom(12)
        sealed = self._ciphers[self.key_id].encrypt(nonce, text.encode("utf-8", "surrogatepass"), bound_to.encode())
        return f"{FORM}.{self.key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, bound_to: str) -> str:
        """Raises SlaError when neither key fits or the text was tampered with."""
        form, _, rest = sealed.partition(".")
        key_id, _, packed = rest.partition(".")
        cipher = self._ciphers.get(key_id)
        if form != FORM or cipher is None:
            raise SlaError("申请人信息是用别的密钥加密的：请把旧密钥写在 SLA_DATA_KEY_OLD。")
        data = base64.urlsafe_b64decode(packed)
        try:
            return cipher.decrypt(data[:12], data[12:], bound_to.encode()).decode("utf-8", "surrogatepass")
        except InvalidTag:
            raise SlaError("申请人信息解不开：密文被改动过，或者不属于这一行。") from None

    def current(self, sealed: str) -> bool:
        return sealed.startswith(f"{FORM}.{self.key_id}.")


def vault(settings: Settings) -> Vault | None:
    """None where no key is set: then applicants' data lies in the database as it came."""
    if settings.data_key is None:
        return None
    old = settings.data_key_old
    return _vault(settings.data_key.get_secret_value(), old.get_secret_value() if old else "")


@lru_cache(maxsize=8)
def _vault(key: str, old: str) -> Vault:
    return Vault(key, *([old] if old else []))


def _derived(key: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"sla applicants' data").derive(key.encode())


def _key_id(key: str) -> str:
    return hashlib.sha256(b"sla key id\n" + key.encode()).hexdigest()[:8]


# -- at rest ------------------------------------------------------------------------------------------------


def stored(settings: Settings, source: str, event_id: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event's data as it goes into the database."""
    box, applicant = vault(settings), data.get("applicant")
    if box is None or not isinstance(applicant, Mapping) or not applicant:
        return data
    sealed = box.seal(json.dumps(applicant, ensure_ascii=False), _place(source, event_id))
    return {**data, "applicant": {**masking.applicant(applicant), "sealed": sealed}}


def stored_raw(settings: Settings, source: str, event_id: str, raw: str) -> str:
    """A body that could not become an event, as it goes into the database: nobody knows what is in it."""
    box = vault(settings)
    return raw if box is None else box.seal(raw, _place(source, event_id))


def opened_raw(settings: Settings, source: str, event_id: str, raw: str) -> str:
    """A body that could not become an event, as it came."""
    if not raw.startswith(f"{FORM}."):
        return raw
    return _needed(settings).open(raw, _place(source, event_id))


def opened(settings: Settings, source: str, event_id: str, applicant: Mapping[str, Any]) -> Mapping[str, Any]:
    """An applicant as the sender wrote him."""
    sealed = applicant.get("sealed")
    if sealed is None:
        return applicant
    return dict(json.loads(_needed(settings).open(sealed, _place(source, event_id))))


def _needed(settings: Settings) -> Vault:
    box = vault(settings)
    if box is None:
        raise SlaError("申请人信息已加密，请设置 SLA_DATA_KEY。")
    return box


def _place(source: str, event_id: str) -> str:
    return json.dumps([source, event_id])


def reseal(app: App, *, now: datetime) -> int:
    """Seals anew what lies under the old key or under none; gives how many rows. The old key can go then."""
    box, done, after = _needed(app.settings), _reseal_kept(app), ("", "")
    while True:
        with app.db.write() as conn:
            page = personal.with_applicant(conn, after=after, limit=_PAGE)
            if not page:
                audit.note(conn, now, audit.operator(), "applicant.reseal", "*", rows=done)
                return done
            for row in page:
                applicant = row["data"].get("applicant")
                if not isinstance(applicant, Mapping) or not applicant or "erased" in applicant:
                    continue
                if box.current(str(applicant.get("sealed", ""))):
                    continue
                plain = opened(app.settings, row["source"], row["id"], applicant)
                data = stored(app.settings, row["source"], row["id"], {**row["data"], "applicant": plain})
                personal.rewrite(conn, row["source"], row["id"], data)
                done += 1
            after = (page[-1]["source"], page[-1]["id"])


def _reseal_kept(app: App) -> int:
    """The same for bodies that could not become events: those that were erased have nothing left to seal."""
    box, done, after = _needed(app.settings), 0, 0
    while True:
        with app.db.write() as conn:
            page = personal.kept_after(conn, after, limit=_PAGE)
            for row in page:
                if box.current(row["raw"]) or row["raw"].endswith(_ERASED):
                    continue
                plain = opened_raw(app.settings, row["source"], row["id"], row["raw"])
                personal.rewrite_kept(conn, row["seq"], stored_raw(app.settings, row["source"], row["id"], plain))
                done += 1
        if len(page) < _PAGE:
            return done
        after = page[-1]["seq"]


# -- asked for, and erased ----------------------------------------------------------------------------------


def show(app: App, source: str, no: str, *, now: datetime, why: str) -> list[dict[str, Any]]:
    """The applicants of a case in the clear. Who asked, and why, goes into the audit log."""
    with app.db.write() as conn:
        rows = personal.of_case(conn, source, no)
        if not rows:
            raise NotFoundError(f"没有办件 {source}/{no}：请核对来源和办件编号。")
        audit.note(conn, now, audit.operator(), "applicant.show", f"{source}/{no}", why=why)
    given = ((r, r["data"].get("applicant")) for r in rows)
    return [{"event": r["id"], **opened(app.settings, source, r["id"], a)} for r, a in given if isinstance(a, Mapping)]


def erase(app: App, source: str, no: str, *, now: datetime) -> int:
    """Erases the applicants of a case; due dates, figures and the audit log's chain stay. Gives the number of rows."""
    with app.db.write() as conn:
        rows = personal.of_case(conn, source, no)
        if not rows:
            raise NotFoundError(f"没有办件 {source}/{no}：请核对来源和办件编号。")
        done = sum(_erase(conn, row, now) for row in rows)
        bodies = personal.kept_of(conn, source, [r["id"] for r in rows])
        bodies += [b for b in personal.kept_naming(conn, source) if _names(app, b, no)]
        done += personal.empty_kept(conn, {b["seq"] for b in bodies}, f"{now:%Y-%m-%d}{_ERASED}")
        audit.note(conn, now, audit.operator(), "applicant.erase", f"{source}/{no}", rows=done)
    return done


def _erase(conn: Any, row: Mapping[str, Any], now: datetime) -> int:
    applicant = row["data"].get("applicant")
    if not isinstance(applicant, Mapping) or "erased" in applicant:
        return 0
    personal.rewrite(conn, row["source"], row["id"], {**row["data"], "applicant": {"erased": f"{now:%Y-%m-%d}"}})
    return 1


def _names(app: App, body: Mapping[str, Any], no: str) -> bool:
    """Does a body that could not become an event speak of this case?"""
    raw, box = str(body["raw"]), vault(app.settings)
    if box is not None and raw.startswith(f"{FORM}."):
        try:
            raw = box.open(raw, _place(body["source"], body["id"]))
        except SlaError:
            return False
    return no in raw or json.dumps(no)[1:-1] in raw


def expire(app: App, *, now: datetime) -> int:
    """Erases applicants of cases closed longer ago than SLA_APPLICANT_DAYS; at most once an hour, 0 keeps them.

    Bodies that could not become events go as long after they came: nobody knows whom they name.
    """
    if not app.settings.applicant_days:
        return 0
    until = now - timedelta(days=app.settings.applicant_days)
    with app.db.read() as conn:
        fact = facts.get(conn, _DONE_UP_TO)
    if fact is not None and fact["at"] + _HOURLY > now:
        return 0
    since = datetime.fromisoformat(fact["value"]) if fact is not None else None
    done, after = 0, ("", "")
    while True:
        with app.db.write() as conn:
            page = personal.closed_between(conn, since, until, after=after, limit=_PAGE)
            for case in page:
                done += sum(_erase(conn, row, now) for row in personal.of_case(conn, case["source"], case["no"]))
            if len(page) < _PAGE:
                facts.put(conn, _DONE_UP_TO, until.isoformat(), now=now)
                done += _expire_kept(conn, until, now)
                if done:
                    audit.note(conn, now, "service", "applicant.expire", f"{app.settings.applicant_days}d", rows=done)
                return done
            after = (page[-1]["source"], page[-1]["no"])


def _expire_kept(conn: Connection, until: datetime, now: datetime) -> int:
    """Empties bodies that came before ``until``; goes on where the last time ended."""
    fact = facts.get(conn, _KEPT_UP_TO)
    after = int(fact["value"]) if fact is not None else 0
    done = 0
    while page := [r for r in personal.kept_after(conn, after, limit=_PAGE) if r["received_at"] <= until]:
        done += personal.empty_kept(conn, {r["seq"] for r in page}, f"{now:%Y-%m-%d}{_ERASED}")
        after = page[-1]["seq"]
    facts.put(conn, _KEPT_UP_TO, str(after), now=now)
    return done
