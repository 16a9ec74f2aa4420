"""The wire form of events: CloudEvents 1.0 in, ``ParsedEvent`` or the one field that is wrong out.

``parse`` is on the way of every event (tens of thousands a second in a batch), so the envelope is checked by hand
and ``data`` by pydantic's compiled validators; ``event_data.py`` is the contract of the latter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas.event_data import DATA, FIRST_YEAR, LAST_YEAR, read_instant
from schemas.event_problems import data_problem, unfit
from schemas.words import near, shown

#: How far a sender's clock may be ahead of ours.
AHEAD = timedelta(minutes=10)
MAX_DEPTH = 32
MAX_ID = 200
_NO_SUBJECT = "visit.answered"
_VALIDATE = {name: model.__pydantic_validator__.validate_python for name, model in DATA.items()}
_FLAT = frozenset((str, int, bool, type(None)))
#: CloudEvents 1.0, "String": no control characters, no surrogates outside a pair.
_BAD_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
).encode


class NotJson(ValueError):  # noqa: N818 (the name others import)
    """The bytes are not one JSON text; ``problem`` is a sentence for the sender."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class InvalidEvent(ValueError):  # noqa: N818
    """An event that does not fit: ``field`` is the JSON path, ``problem`` a sentence that starts with it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


class ParsedEvent(NamedTuple):
    """An event that fits the contract.

    ``time`` is aware, in the sender's offset. ``data`` holds everything that came, unknown fields too; numbers
    without a fraction are ints there (1.0 and 1 are the same JSON value). ``content`` is the hex SHA-256 of
    type, subject, instant and data as JSON values: equal content under one id is a repeat.
    """

    source: str
    id: str
    type: str
    subject: str
    time: datetime
    data: dict[str, Any]
    content: str


class _Repeated(dict[str, Any]):
    """A JSON object that names a key twice: valid JSON, but nobody can say which value was meant."""

    key: str = ""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    repeated = _Repeated(found)
    seen: set[str] = set()
    repeated.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return repeated


def _constant(name: str) -> float:
    raise NotJson(f"JSON 里没有 {name} 这个值，请改成数字或 null。")


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson(f"数字 {text[:20]} 超出了能表示的范围。")
    return number


_decode = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_number).decode


def parse_json(raw: bytes | str) -> Any:
    """The JSON value that ``raw`` holds (UTF-8, a BOM is skipped), for ``parse``.

    Raises NotJson for everything that RFC 8259 does not allow. What is JSON but no event (repeated keys,
    U+0000, lone surrogates) is left to ``parse``, so that in a batch only the event that holds it is refused.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode()
    except UnicodeDecodeError as e:
        raise NotJson(f"正文不是 UTF-8 编码（第 {e.start + 1} 个字节），请用 UTF-8 发送。") from None
    try:
        return _decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as e:
        raise NotJson(f"正文不是 JSON：第 {e.lineno} 行第 {e.colno} 个字符处读不下去。") from None
    except RecursionError:
        raise NotJson("正文的 JSON 嵌套太深。") from None
    except NotJson:
        raise
    except ValueError:  # an integer of thousands of digits
        raise NotJson("正文里有位数过多的整数。") from None


def parse(raw: Mapping[str, Any] | object, *, now: datetime, allow_future: bool = False) -> ParsedEvent:
    """The event in ``raw``, a CloudEvents 1.0 JSON object; InvalidEvent names the first field that is wrong.

    ``now`` bounds ``time`` (ten minutes ahead at most) unless ``allow_future``.
    """
    if not isinstance(raw, Mapping):
        raise InvalidEvent("$", "一个事件要是一个 JSON 对象（CloudEvents 1.0）。")
    if isinstance(raw, _Repeated):
        raise InvalidEvent(raw.key, f"{shown(raw.key)} 在事件里写了两次，请只写一次。")
    if raw.get("specversion") != "1.0":
        raise InvalidEvent("specversion", f'specversion 要写 "1.0"，{_got(raw, "specversion")}。')
    source, event_id = _text(raw, "source"), _text(raw, "id")
    type_ = raw.get("type")
    if type(type_) is not str or type_ not in _VALIDATE:
        raise InvalidEvent("type", _type_problem(raw))
    subject = "" if type_ == _NO_SUBJECT and raw.get("subject") in (None, "") else _text(raw, "subject")
    time, utc = _time(raw, now=now, allow_future=allow_future)
    data = _data(raw)
    try:
        _VALIDATE[type_](data)
    except ValidationError as e:
        raise InvalidEvent(*data_problem(e, DATA[type_])) from None
    return ParsedEvent(source, event_id, type_, subject, time, data, _content(type_, subject, utc, data))


def _content(type_: str, subject: str, utc: datetime, data: dict[str, Any]) -> str:
    try:
        text = _encode((type_, subject, utc.isoformat(), data))
        canonical = text.encode()
    except (ValueError, TypeError):  # lone surrogates; NaN or foreign types from a door that is not JSON
        raise InvalidEvent(*(unfit(data, "data") or ("data", "data 不是 JSON 能表示的值。"))) from None
    # The encoder writes U+0000 as \\u0000; a backslash before a literal "u0000" looks the same, so look again.
    if "\\u0000" in text and (found := unfit(data, "data")):
        raise InvalidEvent(*found)
    return hashlib.sha256(canonical).hexdigest()


def _got(raw: Mapping[str, Any], name: str) -> str:
    return f"收到的是 {shown(raw[name])}" if raw.get(name) is not None else "现在没有写"


def _text(raw: Mapping[str, Any], name: str) -> str:
    value = raw.get(name)
    if type(value) is not str or not value:
        raise InvalidEvent(name, f"{name} 要是非空的字符串，{_got(raw, name)}。")
    if len(value) > MAX_ID:
        raise InvalidEvent(name, f"{name} 最长 {MAX_ID} 个字符，收到 {len(value)} 个。")
    if _BAD_CHARACTER.search(value):
        raise InvalidEvent(name, f"{name} 里有控制字符或不成对的代理字符，请去掉。")
    if value != value.strip():
        raise InvalidEvent(name, f"{name} 前后不能有空格，收到的是 {shown(value)}。")
    return value


def _type_problem(raw: Mapping[str, Any]) -> str:
    value = raw.get("type")
    if not isinstance(value, str) or not value:
        return f"type 要写事件类型，例如 case.accepted，{_got(raw, 'type')}。"
    guess = near(value, DATA)
    hint = f"是不是 {guess}？" if guess else "可用的有 " + "、".join(DATA) + "。"
    return f"type 里的 {shown(value)} 不是认识的事件类型，{hint}"


def _time(raw: Mapping[str, Any], *, now: datetime, allow_future: bool) -> tuple[datetime, datetime]:
    """The instant as the sender wrote it, and in UTC."""
    value = raw.get("time")
    time = read_instant(value) if isinstance(value, str) else None
    if time is None:
        raise InvalidEvent("time", f"time 要写带时区的时间，例如 2026-11-20T10:12:00+08:00，{_got(raw, 'time')}。")
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise InvalidEvent("time", f"time 要在 {FIRST_YEAR} 年到 {LAST_YEAR} 年之间，收到的是 {shown(value)}。")
    utc = time.astimezone(UTC)
    if utc - now > AHEAD and not allow_future:
        minutes = -(-(utc - now) // timedelta(minutes=1))
        raise InvalidEvent(
            "time", f"time 比现在晚 {minutes} 分钟（最多 10 分钟），请检查发送方的时钟，收到的是 {shown(value)}。"
        )
    return time, utc


def _data(raw: Mapping[str, Any]) -> dict[str, Any]:
    if raw.get("data_base64") is not None:
        raise InvalidEvent("data_base64", "请把内容作为 JSON 对象写在 data 里，不用 data_base64。")
    data = raw.get("data")
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidEvent("data", f"data 要是一个 JSON 对象，收到的是 {shown(data)}。")
    if type(data) is dict and all(map(_simple, data.values())):
        return data
    plain = _plain(data, "data", 1)
    assert isinstance(plain, dict)  # noqa: S101 (a dict in gives a dict out)
    return plain


def _simple(value: Any) -> bool:
    """Nothing in it to repair: the usual case, told without building anything."""
    kind = type(value)
    return kind in _FLAT or (kind is dict and _FLAT.issuperset(map(type, value.values())))


def _plain(value: Any, path: str, depth: int) -> Any:
    """``value`` with 1.0 as 1 at every depth; refuses repeated keys and deep nesting."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if not isinstance(value, dict | list):
        return value
    if depth > MAX_DEPTH:
        raise InvalidEvent("data", f"data 的嵌套超过 {MAX_DEPTH} 层。")
    if isinstance(value, list):
        return [_plain(inner, f"{path}[{i}]", depth + 1) for i, inner in enumerate(value)]
    if isinstance(value, _Repeated):
        field = f"{path}.{shown(value.key, 40, quote=False)}"
        raise InvalidEvent(field, f"{field} 写了两次，请只写一次。")
    return {k: _plain(v, f"{path}.{k}", depth + 1) for k, v in value.items()}
