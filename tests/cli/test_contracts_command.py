"""``sla schemas`` and ``sla asyncapi`` as people and scripts call them."""

from __future__ import annotations

import json


def test_the_contracts_are_written_and_found_in_step(bare):
    said = bare.ok("schemas", "c", "--json").json
    assert {"openapi.json", "asyncapi.json", "event.schema.json", "files/policy.schema.json"} <= set(said["files"])
    assert said["changed"] == said["files"]
    assert bare.ok("schemas", "c", "--check").out == "c 与代码一致，契约版本 1.0。\n"
    assert not list(bare.folder.glob("var/*"))  # no database is made for it


def test_a_contract_that_is_not_in_step_fails_with_the_command_to_run(bare):
    bare.ok("schemas", "c")
    (bare.folder / "c" / "openapi.json").write_text("{}", "utf-8")
    (bare.folder / "c" / "data" / "case.closed.schema.json").unlink()
    (bare.folder / "c" / "old.schema.json").write_text("{}", "utf-8")
    said = bare("schemas", "c", "--check")
    assert said.code == 1
    assert said.err.strip() == (
        "c 与代码不一致：data/case.closed.schema.json、old.schema.json、openapi.json。"
        "请运行 ./sla schemas c 后一起提交。"
    )
    assert (bare.folder / "c" / "openapi.json").read_text("utf-8") == "{}"
    bare.ok("schemas", "c")
    assert bare("schemas", "c", "--check").code == 0


def test_the_asyncapi_document_goes_to_standard_output_or_a_file(bare):
    assert bare.ok("asyncapi").json["asyncapi"] == "3.0.0"
    bare.ok("asyncapi", "-o", "a.json")
    assert json.loads((bare.folder / "a.json").read_text("utf-8")) == bare.ok("asyncapi").json
