"""Settings: environment variables ``SLA_…``, then ``.env`` of the working directory, then the defaults.

``Settings(...)`` itself reads nothing, ``load`` does. Secrets may stand in a file instead, named by ``SLA_…_FILE``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from sla_service.errors import SettingError
from sla_service.settings_read import Variables, gather, typo_warnings
from sla_service.settings_values import (
    choice,
    masked_url,
    number,
    read_address,
    read_broker_url,
    read_database_url,
    read_port,
    read_public_url,
    read_switch,
    read_web_address,
    shown,
    whole,
)

PREFIX = "SLA_"
SQLITE_PREFIX = re.compile(r"^sqlite(\+pysqlite)?:///")

MIN_KEY = 32  # characters
_LEVELS = ("debug", "info", "warning", "error")


class Settings(BaseModel):
    """The effective settings of one process, frozen. Each field is the variable of that name with ``SLA_``."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    database_url: Annotated[str, BeforeValidator(read_database_url)] = Field("sqlite:///var/sla.db", repr=False)
    broker_url: Annotated[str | None, BeforeValidator(read_broker_url)] = Field(
        None, repr=False, description="不写则用内置的 Valkey"
    )
    valkey_port: Annotated[int, BeforeValidator(read_port)] = Field(
        0, description="内置 Valkey 在 127.0.0.1 上另开的端口（0 为不开）：给写流、发 Celery 任务的业务系统"
    )
    config_dir: Path = Path("config")
    http: Annotated[str, BeforeValidator(read_address)] = "127.0.0.1:8000"
    tick_seconds: Annotated[float, BeforeValidator(number("一个大于 0 的秒数", above=0, most=3600))] = 5
    var_dir: Path = Field(Path("var"), description="运行数据；默认是 SQLite 文件所在的文件夹")
    public_url: Annotated[str | None, BeforeValidator(read_public_url)] = None
    lang: Annotated[Literal["zh", "en"], BeforeValidator(choice("zh", "en"))] = "zh"
    data_key: SecretStr | None = Field(None, description="链接签名和敏感数据加密用；不写则自动生成在运行数据里")
    data_key_old: SecretStr | None = Field(None, description="换密钥期间的旧密钥，sla data reseal 之后可以去掉")
    applicant_days: Annotated[int, BeforeValidator(whole("办结后申请人信息保存的天数（0 为不限）"))] = 1095
    audit_hash: Annotated[Literal["sha256", "sm3"], BeforeValidator(choice("sha256", "sm3"))] = "sha256"
    audit_days: Annotated[int, BeforeValidator(whole("审计日志保存的天数", least=180))] = 1095
    doctor_seconds: Annotated[int, BeforeValidator(whole("两次自动体检之间的秒数（0 为不检）"))] = 300
    heartbeat_url: Annotated[SecretStr | None, BeforeValidator(read_web_address)] = Field(
        None, description="自动体检没有异常时访问的网址；没有访问就是报警"
    )
    metrics_token: SecretStr | None = Field(None, description="别的机器取 /metrics 用的令牌；不写则只有本机能取")
    max_body_bytes: Annotated[int, BeforeValidator(whole("字节数", least=1024))] = 16 * 1024 * 1024
    rate_requests: Annotated[int, BeforeValidator(whole("每个密钥每分钟的请求数（0 为不限）"))] = 0
    rate_failures: Annotated[int, BeforeValidator(whole("每个地址每分钟认证失败的次数（0 为不限）"))] = 60
    webhook_http: Annotated[bool, BeforeValidator(read_switch)] = Field(
        False, description="业务系统的 webhook 地址可否用 http"
    )
    webhook_private: Annotated[bool, BeforeValidator(read_switch)] = Field(
        False, description="业务系统的 webhook 地址可否在内网"
    )
    clock_shift: Annotated[float, BeforeValidator(number("一个秒数，用于演练"))] = 0
    open_pages: Annotated[bool, BeforeValidator(read_switch)] = Field(False, description="页面是否不登录就让任何人打开")
    session_idle_minutes: Annotated[int, BeforeValidator(whole("页面多少分钟没有动作就要重新登录", least=1))] = 30
    session_hours: Annotated[int, BeforeValidator(whole("登录一次最多用多少小时", least=1))] = 12
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(choice(*_LEVELS))] = "info"

    #: Where each field came from (field name -> words), every variable with the prefix (for ``${SLA_…}`` in
    #: channels.yaml), and what looks like a typing error.
    sources: Mapping[str, str] = Field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = Field(default_factory=dict, repr=False)
    warnings: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, given: Any) -> Any:
        if isinstance(given, dict) and "var_dir" not in given:
            url = str(given.get("database_url", cls.model_fields["database_url"].default))
            if SQLITE_PREFIX.match(url):
                path = Path(SQLITE_PREFIX.sub("", url).split("?")[0])
                return {**given, "var_dir": path.parent}
        return given

    @field_validator("config_dir", "var_dir", mode="after")
    @classmethod
    def _home(cls, path: Path) -> Path:
        return path.expanduser()

    @field_validator("data_key", "data_key_old", "metrics_token", mode="after")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < MIN_KEY:
            raise ValueError(f"要至少 {MIN_KEY} 个字符的随机文字")
        return key

    @property
    def is_sqlite(self) -> bool:
        return SQLITE_PREFIX.match(self.database_url) is not None

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, None on PostgreSQL."""
        return Path(SQLITE_PREFIX.sub("", self.database_url).split("?")[0]) if self.is_sqlite else None

    @property
    def http_host(self) -> str:
        return self.http.rpartition(":")[0].strip("[]")

    @property
    def http_port(self) -> int:
        return int(self.http.rpartition(":")[2])


#: Fields that are settings; the others describe how they came about.
FIELDS: tuple[str, ...] = tuple(n for n in Settings.model_fields if n not in ("sources", "variables", "warnings"))
_SECRET = frozenset({"data_key", "data_key_old", "heartbeat_url", "metrics_token"})
_URLS = frozenset({"database_url", "broker_url", "public_url"})


def variable(field: str) -> str:
    """``tick_seconds`` -> ``SLA_TICK_SECONDS``."""
    return PREFIX + field.upper()


def load(env: Mapping[str, str] | None = None, *, dotenv: Path | None = None) -> Settings:
    """The settings of this process.

    Without ``env`` the real environment and ``.env`` of the working directory; with ``env`` only that, and the file
    ``dotenv`` if one is named. Raises SettingError: one sentence that starts with the variable's name.
    """
    if env is None:
        env, dotenv = os.environ, dotenv or Path(".env")
    found = gather(env, dotenv, PREFIX, known=frozenset(map(variable, FIELDS)))
    given = {field: found.values[variable(field)] for field in FIELDS if variable(field) in found.values}
    extra = {
        "sources": {field: found.sources[variable(field)] for field in given},
        "variables": found.values,
        "warnings": (*found.warnings, *typo_warnings(found.values, {variable(f) for f in FIELDS})),
    }
    try:
        return Settings.model_validate({**given, **extra})
    except ValidationError as e:
        raise _refusal(e, found) from None


def _refusal(error: ValidationError, found: Variables) -> SettingError:
    first = error.errors(include_url=False)[0]
    field = str(first["loc"][0])
    name = variable(field)
    cause = first.get("ctx", {}).get("error")
    ask = str(cause) if cause is not None else "不是能用的值"
    value = found.values.get(name, "")
    seen = "" if field in _SECRET else f"，现在是 {shown(masked_url(value))}"
    source = found.sources.get(name, "")
    where = "" if source == "环境变量" else f"（来自 {source}）"
    return SettingError(f"{name}：{ask}{seen}{where}。")


def effective(settings: Settings) -> list[tuple[str, str, str]]:
    """(variable, value as it may be shown, where it came from) of every setting; secrets are masked."""
    rows = []
    for field in FIELDS:
        value = getattr(settings, field)
        source = settings.sources.get(field)
        if source is None:
            derived = field == "var_dir" and settings.is_sqlite
            source = "随 SLA_DATABASE_URL" if derived else "默认值"
        rows.append((variable(field), _shown(field, value), source))
    return rows


def _shown(field: str, value: object) -> str:
    if value is None:
        return "未设置"
    if field in _SECRET:
        return "***"
    if field in _URLS:
        return masked_url(str(value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)
