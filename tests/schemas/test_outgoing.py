"""What goes out to case systems: one model per type, whose example is what the model says."""

from __future__ import annotations

import json

import jsonschema
import pytest

from schemas.outgoing import OUTGOING


@pytest.mark.parametrize("type_", OUTGOING)
def test_the_example_of_a_type_fits_its_model_and_its_schema(type_):
    model = OUTGOING[type_]
    [example] = model.model_config["json_schema_extra"]["examples"]
    assert example["type"] == type_
    read = model.model_validate(example)
    schema = model.model_json_schema(mode="serialization")
    jsonschema.Draft202012Validator(schema).validate(json.loads(read.model_dump_json()))
