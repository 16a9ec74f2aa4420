"""The templates of the config folder, checked before anything is sent with them."""

from __future__ import annotations

from pathlib import Path

from sla_service.delivery.template_check import problems
from sla_service.delivery.wording import Wording

FOLDER = "templates"


def load(folder: Path) -> tuple[Wording, list[str]]:
    """The folder's templates and everything that is wrong with them, one line each. No folder: the shipped ones."""
    found: dict[str, str] = {}
    wrong: list[str] = []
    place = folder / FOLDER
    for path in sorted(place.glob("*")) if place.is_dir() else ():
        if path.name.startswith(".") or path.is_dir() or path.suffix == ".md":
            continue
        try:
            text = path.read_text("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            wrong.append(f"{path}：读不了，请检查权限，并用 UTF-8 保存。")
            continue
        said = problems(path.name, text)
        wrong += [f"{path}:{line}: {words}。" if line else f"{path}：{words}。" for line, words in said]
        found[path.name] = text
    return Wording(found), wrong
