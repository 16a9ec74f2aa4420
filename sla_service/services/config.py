"""The config folder as one frozen value, read at each start: policy, directory, channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Literal, TypeVar

from schemas.channels import ChannelFile, ChannelsFile, TemplateFile
from schemas.files import Document, FileProblems, Problem, read
from schemas.policy import DigestFile, PolicyFile
from sla_service.delivery.limits import Per, Window
from sla_service.delivery.wording import Wording
from sla_service.domain.directory import MAIN_HALL, Directory, Hall
from sla_service.domain.policy import Policy, Role
from sla_service.errors import ConfigError
from sla_service.services import config_directory, config_policy, config_templates
from sla_service.services.config_policy import parse_policy, policy_from_dict, policy_to_dict, versioned
from sla_service.settings import Settings

__all__ = [
    "ChannelConf",
    "Config",
    "Digest",
    "TemplateConf",
    "Watch",
    "configuration",
    "load_config",
    "parse_policy",
    "policy_from_dict",
    "policy_to_dict",
    "write_defaults",
]

POLICY, DIRECTORY, CHANNELS = FILES = ("policy.yaml", "directory.yaml", "channels.yaml")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TemplateConf:
    """A provider's template: its id, what fills its variables in order, and what they are called there."""

    id: str
    values: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelConf:
    """A channel as written. ``url`` still holds its ``${…}``; ``limits`` None means those of its provider."""

    name: str
    url: str = field(repr=False)
    limits: tuple[Window, ...] | None = None
    templates: Mapping[str, TemplateConf] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0].lower()


@dataclass(frozen=True, slots=True)
class Digest:
    """One message about many cases; ``minute`` of the day, Beijing time."""

    minute: int
    to: tuple[str, ...]
    via: tuple[str, ...]
    days: Literal["working_days", "mondays"] = "working_days"
    beyond: int = 5  # working days overdue from which a case is the joint committee's


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told that next year's notice is missing. Without ``via`` by the channel of words outside the ladder."""

    to: tuple[str, ...] = (Role.STATION_CHIEF.value,)
    via: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """What administrators decide. ``policies`` holds those halls that have their own hours or policy."""

    policy: Policy
    directory: Directory
    channels: Mapping[str, ChannelConf]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    digests: tuple[Digest, ...] = ()
    watch: Watch = Watch()
    folder: Path = Path("config")
    wording: Wording = field(default_factory=Wording, compare=False)

    def policy_of(self, hall: str = MAIN_HALL) -> Policy:
        """The policy for new cases of a hall."""
        return self.policies.get(hall, self.policy)


def configuration(settings: Settings) -> Config:
    """The files of the config folder; where nobody named one and there is none, the shipped defaults."""
    folder = settings.config_dir
    if not folder.exists() and "config_dir" not in settings.model_fields_set:
        folder = Path(__file__).parent / "defaults"
    return load_config(folder)


def load_config(folder: Path) -> Config:
    """The files of ``folder``; ConfigError lists everything that is wrong in any of them, one line each."""
    if not folder.is_dir():
        raise ConfigError(f"没有配置文件夹 {folder}，可以用 sla init {folder} 写出带注释的默认配置。")
    reader = _Reader(folder)
    policy = reader.read(POLICY, config_policy.load)
    directory = reader.read(DIRECTORY, config_directory.load)
    channels = reader.read(CHANNELS, _load_channels)
    base = config_policy.from_file(policy) if policy is not None else None
    own = reader.hall_policies(directory.halls, base) if directory is not None else {}
    wording, wrong = config_templates.load(folder)
    reader.problems += wrong
    if reader.problems or policy is None or directory is None or channels is None or base is None:
        raise ConfigError("\n".join(reader.problems))
    return Config(base, directory, channels, own, tuple(map(_digest, policy.digests)), _watch(policy), folder, wording)


def write_defaults(folder: Path) -> tuple[Path, ...]:
    """Writes the commented default files into ``folder``; what is there stays. Gives the files written."""
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            path = folder / name
            if path.exists():
                continue
            with path.open("x", encoding="utf-8") as file:
                file.write(default_text(name))
            written.append(path)
    except FileExistsError:
        raise ConfigError(f"{folder} 是一个文件，请换一个文件夹。") from None
    except OSError as e:
        raise ConfigError(f"{folder}：写不进去（{e.strerror}），请检查权限和磁盘空间。") from None
    return tuple(written)


def default_text(name: str) -> str:
    """One of the files as it is shipped."""
    return resources.files("sla_service.services.defaults").joinpath(name).read_text("utf-8")


class _Reader:
    """Reads one file after the other and keeps all that is wrong, so that it can be put right in one go."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[str] = []
        self._policies: dict[str, Policy | None] = {}

    def read(self, name: str, load: Callable[[Document], T]) -> T | None:
        path = self.folder / name
        try:
            return load(read(path.read_bytes(), str(path)))
        except FileNotFoundError:
            self.problems.append(f"{path}：没有这个文件，可以用 sla init {self.folder} 写出带注释的默认文件。")
        except OSError as e:
            self.problems.append(f"{path}：读不了（{e.strerror}），请检查权限。")
        except FileProblems as e:
            self.problems.append(str(e))
        return None

    def hall_policies(self, halls: tuple[Hall, ...], base: Policy | None) -> dict[str, Policy]:
        """The policies of those halls that differ from ``base``; each file is read once."""
        found = {}
        for hall in halls:
            policy = self._named(hall) if hall.policy else base
            if policy is not None and hall.hours is not None:
                policy = versioned(replace(policy, hours=hall.hours))
            if policy is not None and policy is not base:
                found[hall.id] = policy
        return found

    def _named(self, hall: Hall) -> Policy | None:
        name = hall.policy or ""
        if Path(name).name != name or not name.endswith((".yaml", ".yml")):
            where = self.folder / DIRECTORY
            self.problems.append(
                f"{where}：厅 {hall.id} 的 policy 要写同一文件夹里的文件名，例如 policy-{hall.id}.yaml。"
            )
            return None
        if name not in self._policies:
            self._policies[name] = self.read(name, _load_policy)
        return self._policies[name]


def _load_policy(document: Document) -> Policy:
    file: PolicyFile = config_policy.load(document)
    for name in ("digests", "calendar_watch"):
        if getattr(file, name):
            raise FileProblems(document.name, [Problem(document.line(name), f"{name} 只写在 policy.yaml 里。")])
    return config_policy.from_file(file)


def _load_channels(document: Document) -> dict[str, ChannelConf]:
    file = document.load(ChannelsFile)
    return {name: _channel(name, channel) for name, channel in file.channels.items()}


def _channel(name: str, file: ChannelFile) -> ChannelConf:
    limits = None if file.limits is None else tuple(Window(Per(w.per), w.max, w.within) for w in file.limits)
    written = {"reminder": file.templates.reminder, "breach": file.templates.breach}
    return ChannelConf(name, file.url, limits, {key: _template(t) for key, t in written.items() if t is not None})


def _template(file: TemplateFile) -> TemplateConf:
    return TemplateConf(file.id, tuple(file.values), tuple(file.names or ()))


def _watch(file: PolicyFile) -> Watch:
    found = file.calendar_watch
    if found is None:
        return Watch()
    return Watch(tuple(found.to) if found.to else Watch().to, tuple(found.via) if found.via else None)


def _digest(file: DigestFile) -> Digest:
    return Digest(file.at, tuple(file.to), tuple(file.via), file.days, file.beyond)
