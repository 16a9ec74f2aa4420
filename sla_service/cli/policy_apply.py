"""``sla policy apply``: a policy file becomes the one in force, for new cases, and for open ones if that is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from sla_service import systime
from sla_service.bootstrap import build
from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.progress import progress
from sla_service.cli.recompute import difference_out, report
from sla_service.errors import ConfigError
from sla_service.services.config import configuration, parse_policy
from sla_service.services.recompute import Difference, recompute
from sla_service.settings import load


@click.command(
    name="apply",
    help="检查规则文件，换成现行规则（原来的改名留着）。新办件用新规则；\n"
    "在办的件仍用受理时的规则，除非写 --recompute。\n\n"
    "正在运行的服务重启后换用新规则。",
    epilog=examples("sla policy apply 新规则.yaml", "sla policy apply 新规则.yaml --recompute"),
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE")
@click.option("--recompute", "anew", is_flag=True, help="在办的件也按新规则重算，列出到期日变了的。")
@json_option
def apply(file: Path, anew: bool, as_json: bool) -> None:
    settings = load()
    before = configuration(settings).policy.version
    version = parse_policy(_text(file), str(file)).version
    kept = _install(file, settings.config_dir / "policy.yaml", before)
    app = build(settings)
    found: list[Difference] = []
    total = 0
    try:
        if anew:
            with progress("重算", "件") as advance:
                for n, differences in recompute(app, (), now=systime.now(), dry_run=False):
                    total += n
                    found += differences
                    advance(total, None)
    finally:
        app.db.dispose()
    if as_json:
        out = {"version": version, "before": before, "kept": str(kept) if kept else None, "recomputed": total}
        emit({**out, "differences": [difference_out(d) for d in found]})
        return
    click.echo(f"现行规则 {version}" + ("（没有变）" if version == before else f"，原来是 {before}") + "。")
    if kept is not None:
        click.echo(f"原来的文件留在 {kept}。正在运行的服务请重启。")
    if anew:
        report(total, found, dry_run=False)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{file} 不是 UTF-8 编码，请另存为 UTF-8 再试。") from None


def _install(file: Path, place: Path, before: str) -> Path | None:
    """Puts the file in place whole or not at all; gives where the one before it is kept."""
    if place.exists() and place.samefile(file):
        return None
    place.parent.mkdir(parents=True, exist_ok=True)
    kept = None
    if place.exists():
        kept = place.with_name(f"policy.{before}.yaml")
        shutil.copyfile(place, kept)
    new = place.with_name("policy.yaml.new")
    shutil.copyfile(file, new)
    new.replace(place)
    return kept
