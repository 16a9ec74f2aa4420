"""What commands read before they can do anything: settings, and what people write as days and instants."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import click

from schemas.event_data import read_when
from sla_service.cli.output import say
from sla_service.settings import Settings, load

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def read_settings() -> Settings:
    """The settings; what looks like a typing error in them is said."""
    settings = load()
    for warning in settings.warnings:
        say(f"注意：{warning}")
    return settings


class Day(click.ParamType[date]):
    """A date ``2026-11-20``."""

    name = "日期"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        found = value if isinstance(value, date) else read_when(str(value).strip())
        if found is None or isinstance(found, datetime):
            self.fail(f"要写日期，例如 2026-11-20，现在是 {value}", param, ctx)
        return found


class When(click.ParamType[date | datetime]):
    """A date, or an instant with its offset."""

    name = "时间"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date | datetime:
        if isinstance(value, date):
            return value
        text = str(value).strip()
        found = read_when(text)
        if found is None:
            self.fail(_when_problem(text), param, ctx)
        return found


class Span(click.ParamType[timedelta]):
    """``24h``, ``30m``, ``7d``, or ``0``."""

    name = "时长"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,5})([mhd])|0", str(value).strip())
        if found is None:
            self.fail(f"要写时长，例如 24h、30m、7d 或 0，现在是 {value}", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found[2] else timedelta()


def _when_problem(text: str) -> str:
    naive = _naive(text)
    if naive is not None and naive.tzinfo is None:
        return f"缺时区，北京时间请写 {naive.isoformat(timespec='seconds')}+08:00，现在是 {text}"
    return f"要写日期（2026-11-20）或带时区的时间（2026-11-20T10:12:00+08:00），现在是 {text}"


def _naive(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
