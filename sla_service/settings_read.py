"""Where the variables come from: the environment, files named by ``…_FILE``, and ``.env``."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv.parser import parse_stream

from sla_service.errors import SettingError

_FILE = "_FILE"
#: Read by the tests and by the clock, not by this service's settings.
_FOREIGN = ("SLA_TEST_",)


@dataclass(slots=True)
class Variables:
    """name -> value and name -> where it came from; warnings are sentences."""

    values: dict[str, str] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def gather(env: Mapping[str, str], dotenv: Path | None, prefix: str, *, known: frozenset[str]) -> Variables:
    """Every variable that starts with ``prefix``: the environment wins over the file, empty means not set."""
    found = Variables()
    from_file = _read_dotenv(dotenv, prefix) if dotenv is not None else {}
    _take(found, {k: v for k, v in env.items() if k.startswith(prefix)}, "环境变量", known)
    _take(found, from_file, ".env", known)
    return found


def _take(found: Variables, given: Mapping[str, str], source: str, known: frozenset[str]) -> None:
    """Adds one layer below what was found already; within a layer a value and its file exclude each other."""
    layer: dict[str, tuple[str, str]] = {}
    for name, value in given.items():
        base = name.removesuffix(_FILE)
        if not value or name.startswith(_FOREIGN):
            continue
        if name == base or name in known:
            layer[name] = (value, source)
        elif given.get(base):
            raise SettingError(f"{base} 和 {name} 只能写一个，请去掉其中之一。")
        elif base not in found.values:
            text = _read_secret(found, name, value, must=base in known)
            if text is not None:
                layer[base] = (text, f"文件 {value}")
    for name, (value, where) in layer.items():
        if name not in found.values:
            found.values[name], found.sources[name] = value, where


def _read_secret(found: Variables, name: str, path: str, *, must: bool) -> str | None:
    """The file's text without the line break at its end."""
    try:
        text = Path(path).read_text("utf-8-sig").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) else "不是 UTF-8 文字"
        sentence = f"{name}：读不了文件 {path}（{why}）。"
        if must:
            raise SettingError(sentence) from None
        found.warnings.append(sentence)
        return None
    if not text.strip():
        raise SettingError(f"{name}：文件 {path} 是空的。")
    return text


def _read_dotenv(path: Path, prefix: str) -> dict[str, str]:
    """The variables of an .env file as they stand there; nothing in them is expanded."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            bindings = list(parse_stream(file))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise SettingError(f"{path}：不是 UTF-8 编码，请另存为 UTF-8。") from None
    except OSError as e:
        raise SettingError(f"{path}：读不了（{e.strerror}）。") from None
    for one in bindings:
        if one.error:
            line = one.original.line + one.original.string.count("\n", 0, len(one.original.string.rstrip()))
            raise SettingError(f"{path} 第 {line} 行读不懂，每行要写成 名称=值：{one.original.string.strip()[:60]}")
    return {one.key: one.value for one in bindings if one.key and one.value and one.key.startswith(prefix)}


def typo_warnings(names: Iterable[str], known: set[str]) -> list[str]:
    """One sentence for each name that is no setting but looks much like one."""
    warnings = []
    for name in sorted(set(names) - known):
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        if near:
            warnings.append(f"{name} 不是这里的设置，没有用到；是不是 {near[0]}？")
    return warnings
