"""Settings: where they come from, what each takes, and the one sentence for what it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from sla_service.errors import SettingError
from sla_service.settings import FIELDS, Settings, effective, load, variable
from sla_service.settings_values import masked_url


def refusal(env: dict[str, str], dotenv: Path | None = None) -> str:
    with pytest.raises(SettingError) as refused:
        load(env, dotenv=dotenv)
    return str(refused.value)


def test_nothing_set_gives_the_embedded_defaults() -> None:
    settings = load({})
    assert settings.database_url == "sqlite:///var/sla.db"
    assert settings.is_sqlite
    assert settings.sqlite_path == Path("var/sla.db")
    assert settings.broker_url is None
    assert settings.config_dir == Path("config")
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
    assert settings.tick_seconds == 5
    assert settings.var_dir == Path("var")
    assert settings.warnings == ()
    assert settings == Settings(), "the constructor reads nothing and gives the same"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}).tick_seconds = 1


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("SLA_DATABASE_URL", "sqlite:////srv/x/a.db", "database_url", "sqlite:////srv/x/a.db"),
        ("SLA_DATABASE_URL", "postgresql://u:p@h/db", "database_url", "postgresql+psycopg://u:p@h/db"),
        ("SLA_DATABASE_URL", "postgres:///db", "database_url", "postgresql+psycopg:///db"),
        ("SLA_DATABASE_URL", "postgresql+psycopg://h/db", "database_url", "postgresql+psycopg://h/db"),
        ("SLA_BROKER_URL", "redis://:p@h:6379/0", "broker_url", "redis://:p@h:6379/0"),
        ("SLA_BROKER_URL", "redis+socket:///run/v.sock", "broker_url", "redis+socket:///run/v.sock"),
        ("SLA_HTTP", "[::1]:80", "http", "[::1]:80"),
        ("SLA_HTTP", "0.0.0.0:08000", "http", "0.0.0.0:8000"),
        ("SLA_TICK_SECONDS", "0.5", "tick_seconds", 0.5),
        ("SLA_VAR_DIR", "/srv/sla", "var_dir", Path("/srv/sla")),
        ("SLA_PUBLIC_URL", "https://sla.example.gov.cn/x/", "public_url", "https://sla.example.gov.cn/x"),
        ("SLA_LANG", "EN", "lang", "en"),
        ("SLA_MAX_BODY_BYTES", "1_048_576", "max_body_bytes", 1048576),
        ("SLA_CLOCK_SHIFT", "-86400", "clock_shift", -86400),
        ("SLA_OPEN_PAGES", "Yes", "open_pages", True),
        ("SLA_LOG_LEVEL", "DEBUG", "log_level", "debug"),
        ("SLA_TICK_SECONDS", "", "tick_seconds", 5),  # compose hands on an unset variable as an empty one
    ],
)
def test_each_setting_is_read_from_its_variable(name: str, text: str, field: str, value: object) -> None:
    assert getattr(load({name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("SLA_TICK_SECONDS", "abc", 'SLA_TICK_SECONDS：要一个大于 0 的秒数，现在是 "abc"。'),
        ("SLA_TICK_SECONDS", "0", 'SLA_TICK_SECONDS：要一个大于 0 的秒数，现在是 "0"。'),
        ("SLA_TICK_SECONDS", "nan", 'SLA_TICK_SECONDS：要一个大于 0 的秒数，现在是 "nan"。'),
        ("SLA_TICK_SECONDS", "9999", 'SLA_TICK_SECONDS：要一个大于 0 的秒数，最大 3600，现在是 "9999"。'),
        (
            "SLA_DATABASE_URL",
            "mysql://u:topsecret@h/db",
            'SLA_DATABASE_URL：要以 sqlite:/// 或 postgresql:// 开头，现在是 "mysql://u:***@h/db"。',
        ),
        (
            "SLA_DATABASE_URL",
            "sqlite://",
            (
                "SLA_DATABASE_URL：SQLite 要写明文件（多个进程共用，不能用内存库），例如 sqlite:///var/sla.db，"
                '现在是 "sqlite://"。'
            ),
        ),
        (
            "SLA_DATABASE_URL",
            "postgresql://",
            'SLA_DATABASE_URL：要写明数据库，例如 postgresql://用户:密码@主机/库名，现在是 "postgresql://"。',
        ),
        (
            "SLA_BROKER_URL",
            "amqp://h",
            (
                "SLA_BROKER_URL：要写 Redis 或 Valkey 的地址，例如 redis://主机:6379/0（不写则用内置的），"
                '现在是 "amqp://h"。'
            ),
        ),
        (
            "SLA_HTTP",
            "8000",
            'SLA_HTTP：要写成 地址:端口，例如 127.0.0.1:8000 或 0.0.0.0:8000，现在是 "8000"。',
        ),
        (
            "SLA_HTTP",
            "::1:8000",
            'SLA_HTTP：要写成 地址:端口，例如 127.0.0.1:8000 或 0.0.0.0:8000，现在是 "::1:8000"。',
        ),
        (
            "SLA_HTTP",
            "127.0.0.1:80000",
            'SLA_HTTP：要写成 地址:端口，例如 127.0.0.1:8000 或 0.0.0.0:8000，现在是 "127.0.0.1:80000"。',
        ),
        (
            "SLA_PUBLIC_URL",
            "sla.example.gov.cn",
            'SLA_PUBLIC_URL：要写外面能打开的网址，例如 https://sla.example.gov.cn，现在是 "sla.example.gov.cn"。',
        ),
        (
            "SLA_PUBLIC_URL",
            "https://h:x/",
            'SLA_PUBLIC_URL：要写外面能打开的网址，例如 https://sla.example.gov.cn，现在是 "https://h:x/"。',
        ),
        ("SLA_LANG", "fr", 'SLA_LANG：要写 zh 或 en，现在是 "fr"。'),
        ("SLA_DATA_KEY", "short", "SLA_DATA_KEY：要至少 32 个字符的随机文字。"),
        ("SLA_MAX_BODY_BYTES", "10MB", 'SLA_MAX_BODY_BYTES：要一个不小于 1024 的整数：字节数，现在是 "10MB"。'),
        ("SLA_CLOCK_SHIFT", "1h", 'SLA_CLOCK_SHIFT：要一个秒数，用于演练，现在是 "1h"。'),
        ("SLA_OPEN_PAGES", "maybe", 'SLA_OPEN_PAGES：要写 true 或 false，现在是 "maybe"。'),
        (
            "SLA_LOG_LEVEL",
            "loud",
            'SLA_LOG_LEVEL：要写 debug、info、warning 或 error，现在是 "loud"。',
        ),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(name: str, text: str, sentence: str) -> None:
    assert refusal({name: text}) == sentence


def test_a_url_that_cannot_be_used_does_not_give_its_password_away() -> None:
    for url in ("mysql://u:topsecret@h/db", "oracle://topsecret@h", "mysql://h/db?password=topsecret"):
        assert "topsecret" not in refusal({"SLA_DATABASE_URL": url})
    assert "topsecret" not in refusal({"SLA_DATA_KEY": "topsecret"})


def test_the_folder_of_the_sqlite_file_holds_what_the_service_keeps() -> None:
    assert load({"SLA_DATABASE_URL": "sqlite:////srv/sla/a.db?timeout=5"}).var_dir == Path("/srv/sla")
    assert load({"SLA_DATABASE_URL": "sqlite:///a.db"}).var_dir == Path()
    assert load({"SLA_DATABASE_URL": "postgresql://h/db"}).var_dir == Path("var")
    assert load({"SLA_DATABASE_URL": "sqlite:///a.db", "SLA_VAR_DIR": "x"}).var_dir == Path("x")


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://u:p@h/db\n")
    settings = load({"SLA_DATABASE_URL_FILE": str(secret)})
    assert settings.database_url == "postgresql+psycopg://u:p@h/db"
    assert ("SLA_DATABASE_URL", "postgresql+psycopg://u:***@h/db", f"文件 {secret}") in effective(settings)


def test_a_secret_of_a_channel_is_found_the_same_way(tmp_path: Path) -> None:
    secret = tmp_path / "wecom"
    secret.write_text("s/3cr3t")
    settings = load({"SLA_WECOM_SECRET_FILE": str(secret), "SLA_MAS_SECRET": "x", "HOME": "/root"})
    assert settings.variables == {"SLA_WECOM_SECRET": "s/3cr3t", "SLA_MAS_SECRET": "x"}
    assert settings.warnings == ()
    assert "s/3cr3t" not in repr(settings)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    gone, empty = tmp_path / "gone", tmp_path / "empty"
    empty.write_text("\n")
    assert refusal({"SLA_DATA_KEY_FILE": str(gone)}) == (
        f"SLA_DATA_KEY_FILE：读不了文件 {gone}（No such file or directory）。"
    )
    assert refusal({"SLA_DATA_KEY_FILE": str(empty)}) == f"SLA_DATA_KEY_FILE：文件 {empty} 是空的。"
    assert load({"SLA_WECOM_SECRET_FILE": str(gone)}).warnings == (
        f"SLA_WECOM_SECRET_FILE：读不了文件 {gone}（No such file or directory）。",
    )


def test_a_value_and_its_file_exclude_each_other() -> None:
    assert refusal({"SLA_BROKER_URL": "redis://h", "SLA_BROKER_URL_FILE": "/x"}) == (
        "SLA_BROKER_URL 和 SLA_BROKER_URL_FILE 只能写一个，请去掉其中之一。"
    )


def test_the_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        '\ufeff# 注释\nSLA_TICK_SECONDS=7\nexport SLA_HTTP="0.0.0.0:80"\nSLA_BROKER_URL_FILE=/gone\nOTHER=1\n', "utf-8"
    )
    settings = load({"SLA_TICK_SECONDS": "3", "SLA_BROKER_URL": "redis://h"}, dotenv=dotenv)
    assert (settings.tick_seconds, settings.http) == (3, "0.0.0.0:80")
    sources = {name: source for name, _, source in effective(settings)}
    assert sources["SLA_TICK_SECONDS"] == "环境变量"
    assert sources["SLA_HTTP"] == ".env"
    assert sources["SLA_LANG"] == "默认值"
    assert sources["SLA_VAR_DIR"] == "随 SLA_DATABASE_URL"


def test_the_env_file_of_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("SLA_TICK_SECONDS=9\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SLA_TICK_SECONDS", raising=False)
    assert load().tick_seconds == 9


def test_a_wrong_value_in_the_env_file_says_where_it_stands(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("SLA_LANG=fr\n")
    assert refusal({}, dotenv) == 'SLA_LANG：要写 zh 或 en，现在是 "fr"（来自 .env）。'


def test_an_env_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes("SLA_LANG=zh # 中文\n".encode("gbk"))
    assert refusal({}, dotenv) == f"{dotenv}：不是 UTF-8 编码，请另存为 UTF-8。"
    dotenv.write_text('SLA_LANG=zh\nSLA_HTTP "x"\n')
    assert refusal({}, dotenv) == f'{dotenv} 第 2 行读不懂，每行要写成 名称=值：SLA_HTTP "x"'


def test_a_name_that_looks_like_a_typing_error_is_reported() -> None:
    settings = load({"SLA_TICK_SECOND": "1", "SLA_WECOM_SECRET": "x", "SLA_TEST_DATABASE_URL": "y"})
    assert settings.warnings == ("SLA_TICK_SECOND 不是这里的设置，没有用到；是不是 SLA_TICK_SECONDS？",)


def test_the_effective_settings_hold_every_one_and_no_secret() -> None:
    key = "k" * 40
    settings = load({"SLA_DATA_KEY": key, "SLA_BROKER_URL": "redis://:hush@h/0"})
    rows = {name: shown for name, shown, _ in effective(settings)}
    assert list(rows) == [variable(field) for field in FIELDS]
    assert rows["SLA_DATA_KEY"] == "***"
    assert rows["SLA_BROKER_URL"] == "redis://:***@h/0"
    assert rows["SLA_PUBLIC_URL"] == "未设置"
    assert key not in repr(settings)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("postgresql://user@h/db", "postgresql://***:***@h/db"),
        ("postgresql://u:p@ss/w@h/db", "postgresql://u:***@h/db"),
        ("sqlite:///a@b:c.db", "sqlite:///a@b:c.db"),
        ("https://h/x?a=1&token=t&b=2", "https://h/x?a=1&token=***&b=2"),
        ("plain text", "plain text"),
    ],
)
def test_passwords_inside_urls_are_masked(url: str, shown: str) -> None:
    assert masked_url(url) == shown
