"""The contracts as JSON Schema: each can be generated, and the shipped files fit theirs."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jsonschema
import pytest
import yaml

from schemas.channels import ChannelsFile
from schemas.directory import DirectoryFile
from schemas.files import FileModel
from schemas.policy import PolicyFile

FILES = [("policy.yaml", PolicyFile), ("directory.yaml", DirectoryFile), ("channels.yaml", ChannelsFile)]


@pytest.mark.parametrize(("name", "model"), FILES)
def test_a_shipped_file_fits_its_schema(name: str, model: type[FileModel]) -> None:
    text = resources.files("sla_service.services.defaults").joinpath(name).read_text("utf-8")
    content: Any = {k: v for k, v in yaml.safe_load(text).items() if v is not None}
    validator = jsonschema.Draft202012Validator(model.model_json_schema(by_alias=True))
    validator.check_schema(validator.schema)
    assert not list(validator.iter_errors(content))
