"""The whole tree of errors that people may see: each one sentence, with what to do."""

from __future__ import annotations


class SlaError(Exception):
    """Base of every error that is meant to be read. ``exit_code`` is what the command line returns."""

    exit_code = 1


class UsageError(SlaError):
    """The call itself is wrong (exit code 2)."""

    exit_code = 2


class SettingError(SlaError):
    """A setting (environment variable or .env line) cannot be used; names it."""


class ConfigError(SlaError):
    """A file of the config folder cannot be used; names file, line and reason."""


class CalendarError(SlaError):
    """A day outside the calendar, or a notice that contradicts itself."""


class StoreError(SlaError):
    """The database is not there, not migrated, or not ours."""


class ChannelError(SlaError):
    """A channel's URL cannot be used; never carries the secret in it."""


class NotFoundError(SlaError):
    """What was asked for by name does not exist."""


class PortTakenError(SlaError):
    """The address of the web server is in use."""


class BrokerError(SlaError):
    """No broker could be started or reached."""
