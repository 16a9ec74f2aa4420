"""directory.yaml changed entry by entry: comments and everything else stay."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from sla_service.services.config import default_text
from sla_service.services.directory_text import DirectoryText, line

PERSON = {"id": "zhaoliu", "name": "赵六", "aliases": ["007", "x y"], "phone": "13800000009", "department": None}


def changed(text, section, *entries):
    held = DirectoryText(text)
    held.append(section, entries)
    return held.text


def test_an_entry_is_one_line_and_numbers_are_quoted():
    assert line(PERSON) == '{id: zhaoliu, name: 赵六, aliases: ["007", "x y"], phone: "13800000009"}'
    assert line({"from": date(2026, 11, 1), "who": "yes", "by": "null"}) == '{from: 2026-11-01, who: "yes", by: "null"}'


@pytest.mark.parametrize(
    "text",
    [
        "people:\n  - {id: a, name: A}   # der Erste\n\n# danach\nroles: {}\n",
        "people:\n- id: a\n  name: A\n\n# danach\nroles: {}\n",
        "people: [{id: a, name: A}]  # alle\nroles: {}\n",
        "people: []  # niemand\nroles: {}\n",
        "people:\n  # niemand\nroles: {}\n",
        "people: null\nroles: {}\n",
        "roles: {}\n# danach",
        "",
    ],
)
def test_an_entry_is_added_at_the_end_of_its_section_and_nothing_else_changes(text):
    before = yaml.safe_load(text) or {}
    after = changed(text, "people", {"id": "b", "name": "B"}, {"id": "c", "name": "C"})
    wanted = {**before, "people": [*(before.get("people") or []), {"id": "b", "name": "B"}, {"id": "c", "name": "C"}]}
    assert yaml.safe_load(after) == wanted
    for comment in ("# der Erste", "# danach", "# alle", "# niemand"):
        assert (comment in after) == (comment in text)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_one_entry_of_the_shipped_file_is_written_anew_and_every_other_line_stays(index):
    text = default_text("directory.yaml")
    held = DirectoryText(text)
    held.replace("people", index, {"id": "neu", "name": "新"})
    old, new = text.splitlines(), held.text.splitlines()
    (at,) = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert new[at] == "  - {id: neu, name: 新}"
    assert yaml.safe_load(held.text)["people"][index] == {"id": "neu", "name": "新"}


def test_a_block_entry_gives_way_without_the_comment_behind_it():
    held = DirectoryText(
        "people:\n  - id: a\n    name: A\n    aliases:\n      - x\n  # der Nächste\n  - {id: b, name: B}\n"
    )
    held.replace("people", 0, {"id": "a", "name": "AA"})
    assert held.text == "people:\n  - {id: a, name: AA}\n  # der Nächste\n  - {id: b, name: B}\n"
