"""``sla init``: the config files with their comments."""

from __future__ import annotations

from pathlib import Path

import click

from sla_service.cli.chinese import examples
from sla_service.cli.output import emit, json_option
from sla_service.cli.reading import read_settings
from sla_service.services.config import FILES, write_defaults


@click.command(
    help="写出带注释的配置文件：时限规则、通讯录、渠道。已有的文件不动。\n\n"
    "DIR 不写时是 SLA_CONFIG_DIR（默认 config）。",
    epilog=examples("sla init", "sla init /etc/sla"),
)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@json_option
def init(folder: Path | None, as_json: bool) -> None:
    """Writes what is missing and says what comes next."""
    usual = read_settings().config_dir
    folder = folder or usual
    written = write_defaults(folder)
    kept = [folder / name for name in FILES if folder / name not in written]
    if as_json:
        emit({"folder": str(folder), "written": [str(p) for p in written], "kept": [str(p) for p in kept]})
        return
    for path in written:
        click.echo(f"已写出 {path}")
    for path in kept:
        click.echo(f"已有   {path}（保持不变）")
    click.echo("")
    click.echo("接下来：")
    click.echo(f"  1. 在 {folder / 'directory.yaml'} 里写上本单位的人和科室")
    click.echo(f"  2. 检查：sla policy check {folder}")
    start = "sla up" if folder.resolve() == usual.resolve() else f"SLA_CONFIG_DIR={folder} sla up"
    click.echo(f"  3. 启动：{start}")
    click.echo("  4. 让别人也能看页面：sla user add admin --role admin（密码只显示一次）")
