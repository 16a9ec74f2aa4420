"""The config folder: what is shipped, what comes of it, and how the directory and the channels are checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sla_service.errors import ConfigError
from sla_service.services.config import FILES, default_text, load_config, write_defaults

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_defaults(tmp_path / "config")
    return tmp_path / "config"


def refusal(folder: Path) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_config(folder)
    return str(refused.value).replace(f"{folder}/", "").split("\n")


def test_the_repositorys_files_are_those_that_init_writes() -> None:
    assert sorted(p.name for p in (ROOT / "config").iterdir()) == sorted(FILES)
    for name in FILES:
        assert (ROOT / "config" / name).read_text("utf-8") == default_text(name)


def test_what_is_shipped_works_as_it_is(folder: Path) -> None:
    config = load_config(folder)
    assert {name: c.url for name, c in config.channels.items()} == {"wecom": "sandbox://", "sms": "sandbox://"}
    zhangsan = config.directory.find("10023")
    assert zhangsan is not None
    assert (zhangsan.id, zhangsan.phone, zhangsan.department) == ("zhangsan", "13800000001", "社会事务科")
    assert config.directory.roles == {("main", "station_chief"): ("lisi",), ("main", "joint_committee"): ("wangwu",)}
    assert config.policy_of("main") is config.policy
    assert config.policies == {}


def test_init_overwrites_nothing_and_says_what_it_wrote(tmp_path: Path) -> None:
    assert [p.name for p in write_defaults(tmp_path / "a" / "b")] == list(FILES)
    mine = tmp_path / "a" / "b" / "channels.yaml"
    mine.write_text("channels: {}")
    (tmp_path / "a" / "b" / "policy.yaml").unlink()
    assert [p.name for p in write_defaults(tmp_path / "a" / "b")] == ["policy.yaml"]
    assert mine.read_text() == "channels: {}"


def test_init_into_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("x")
    with pytest.raises(ConfigError, match=r"是一个文件，请换一个文件夹。$"):
        write_defaults(tmp_path / "config")
    with pytest.raises(ConfigError, match=r"写不进去（Not a directory）"):
        write_defaults(tmp_path / "config" / "below")


def test_a_missing_folder_or_file_says_how_to_get_one(folder: Path) -> None:
    gone = folder / "gone"
    with pytest.raises(ConfigError) as refused:
        load_config(gone)
    assert str(refused.value) == f"没有配置文件夹 {gone}，可以用 sla init {gone} 写出带注释的默认配置。"
    (folder / "channels.yaml").unlink()
    (folder / "policy.yaml").unlink()
    assert refusal(folder) == [
        f"policy.yaml：没有这个文件，可以用 sla init {folder} 写出带注释的默认文件。",
        f"channels.yaml：没有这个文件，可以用 sla init {folder} 写出带注释的默认文件。",
    ]


def test_mistakes_in_all_files_are_listed_together(folder: Path) -> None:
    (folder / "policy.yaml").write_text("targets: {}\n")
    (folder / "directory.yaml").write_text("poeple: []\n")
    (folder / "channels.yaml").write_bytes("channels: {短信: {}}\n".encode("gbk"))
    assert refusal(folder) == [
        "policy.yaml:1: targets 里缺少 resolve。",
        'directory.yaml:1: 不认识 "poeple"，是不是 people？',
        "channels.yaml:1: 不是 UTF-8 编码，请用编辑器另存为 UTF-8。",
    ]


def test_a_directory_may_be_empty(folder: Path) -> None:
    (folder / "directory.yaml").write_text("people:\nabsences:\n  # - {who: a}\n")
    assert load_config(folder).directory.people == ()
