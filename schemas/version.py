"""Where the version of the contract stands, and what it promises.

``CONTRACT`` is MAJOR.MINOR and stands in every generated document (``info.version``, ``$id``); it is not the version
of the program. The rule, told to integrators in ``docs/integrate.md``:

- MINOR grows with what nobody has to react to: a new event type, a new optional field, a new field of an answer, a new
  finding code, a new path, a wider bound.
- MAJOR grows with everything else: a field that goes, is renamed, changes its type or its meaning, a narrower bound, an
  optional field that becomes required. The new one is served beside the old one (``/v2/…`` beside ``/v1/…``, a stream
  of its own) for at least twelve months, and the old one says so in the headers ``Deprecation`` (RFC 9745) and
  ``Sunset`` (RFC 8594).
"""

from __future__ import annotations

from typing import Final

CONTRACT: Final = "1.0"
MAJOR: Final = CONTRACT.split(".", maxsplit=1)[0]
