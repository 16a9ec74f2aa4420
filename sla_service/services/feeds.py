"""A person's deadlines as a calendar feed (iCalendar, RFC 5545) for the calendar on his phone or desk.

The link is the permission, so it is signed, names one person, ends with its time or when he leaves the directory, and
shows no more than his messages do.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from sla_service.calendars.ics import escape, fold
from sla_service.domain.people import Person
from sla_service.domain.scope import Access, scope_of
from sla_service.errors import SettingError
from sla_service.services import links
from sla_service.services.app import App
from sla_service.services.links import LinkError
from sla_service.store import queries
from sla_service.store.queries import CaseFilter

VALID: Final = timedelta(days=400)
_PURPOSE: Final = b"sla calendar feed v1"
_MOST: Final = 1_000
_LONGEST: Final = 600
_DAY: Final = timedelta(days=1)


def url(app: App, person: Person, *, now: datetime) -> str:
    """The address to subscribe to. Raises SettingError without a public address."""
    base = (app.settings.public_url or "").rstrip("/")
    if not base:
        raise SettingError("SLA_PUBLIC_URL：没有设置，日历订阅的地址要靠它写出来。")
    return f"{base}/feeds/{token(app, person, now=now)}.ics"


def token(app: App, person: Person, *, now: datetime) -> str:
    """``person.expiry.signature``, the person in base64url. The same all day, so that a page shows one address."""
    links.ready(app, now=now)
    ends = (now + VALID).replace(hour=0, minute=0, second=0, microsecond=0)
    said = f"{base64.urlsafe_b64encode(person.id.encode()).decode().rstrip('=')}.{int(ends.timestamp())}"
    return f"{said}.{_mac(app, said)}"


def feed(app: App, given: str, *, now: datetime) -> str:
    """The feed that a token names. Raises LinkError for one that is forged, over, or of somebody who has left."""
    person = _opened(app, given, now=now)
    scope = scope_of(Access.STAFF, None, person, app.config.directory)
    with app.db.read() as conn:
        wanted = CaseFilter(states=("running",), within=scope)
        rows = queries.most_urgent(conn, wanted, now=now, limit=_MOST)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//sla-service//deadlines//ZH",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{_text(person.name)}的办件到期日",
        "X-WR-TIMEZONE:Asia/Shanghai",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        *(line for row in rows for line in _event(app, row, now)),
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in fold(line))


def _event(app: App, row: Mapping[str, Any], now: datetime) -> list[str]:
    """One all-day event on the due date; of a provisional one on the earliest, by which reminders go too."""
    doubt = f"（暂定，最晚 {row['due_latest']:%m-%d}）" if row["provisional"] else ""
    late = "超期 " if row["due_latest_at"] < now else ""
    on = row["due_earliest"] or row["due_on"]
    base = (app.settings.public_url or "").rstrip("/")
    where = [f"URL:{base}/cases/{quote(row['source'], safe='')}/{quote(row['no'], safe='')}"] if base else []
    number, about = row["no"], row["title"] or row["matter"] or ""
    known = f"{row['source']}/{row['no']}"
    return [
        "BEGIN:VEVENT",
        f"UID:{hashlib.sha256(known.encode()).hexdigest()[:32]}@sla-service",
        f"DTSTAMP:{row['updated_at'].astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{on:%Y%m%d}",
        f"DTEND;VALUE=DATE:{on + _DAY:%Y%m%d}",
        f"SUMMARY:{_text(f'{late}到期 {number} {about}'.strip() + doubt)}",
        *where,
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _text(words: str) -> str:
    """Others' words stay within their line: a line of its own would be a property of its own."""
    return escape("".join(char if char.isprintable() else " " for char in words))


def _opened(app: App, given: str, *, now: datetime) -> Person:
    links.ready(app, now=now)
    said, _, mac = given.rpartition(".")
    who, _, expires = said.partition(".")
    if not (given.isascii() and len(given) < _LONGEST and expires.isdigit() and len(expires) < 12):  # noqa: PLR2004
        raise LinkError
    if not hmac.compare_digest(mac, _mac(app, said)):
        raise LinkError
    if datetime.fromtimestamp(int(expires), UTC) <= now:
        raise LinkError(expired=True)
    try:
        id_ = base64.urlsafe_b64decode(who + "=" * (-len(who) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise LinkError from None
    person = app.config.directory.person(id_)
    if person is None:
        raise LinkError(expired=True)
    return person


def _mac(app: App, said: str) -> str:
    if app.link_key is None:
        raise RuntimeError("links.ready() comes before signing")
    key = hashlib.sha256(_PURPOSE + app.link_key.encode()).digest()
    digest = hmac.new(key, said.encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
