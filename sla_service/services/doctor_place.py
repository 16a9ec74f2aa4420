"""The doctor's questions about where the service stands: files, channels, clocks of machines, disk, broker."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sla_service.errors import ChannelError
from sla_service.services import config_check
from sla_service.services.app import App
from sla_service.services.doctor_check import Check, span
from sla_service.store import checks

_SKEW = timedelta(seconds=5)
_GB = 1 << 30
#: Free space: below it sending still goes on, but somebody should make room; below the second it is about to end.
_LITTLE, _NONE = 2 * _GB, _GB // 2


def config(app: App) -> Check:
    warnings = config_check.check(app.config, app.settings.variables)
    if not warnings:
        return Check("config", "ok", f"配置没有问题，规则版本 {app.config.policy.version}")
    return Check(
        "config", "warning", f"配置有 {len(warnings)} 处注意：{warnings[0]}", f"sla policy check {app.config.folder}"
    )


def channels(app: App) -> Iterator[Check]:
    policies = [app.config.policy, *app.config.policies.values()]
    used = {c for p in policies for t in p.targets for s in t.ladder for c in s.via}
    broken = False
    for name in sorted(used | set(app.channels.names())):
        try:
            app.channels.open(name)
        except ChannelError as e:
            broken = True
            yield Check("channels", "error" if name in used else "warning", str(e), "sla channel list")
    if not broken:
        yield Check("channels", "ok", f"渠道都能打开：{'、'.join(app.channels.names())}")


def clock(app: App, real_now: Callable[[], datetime]) -> Check:
    """Application and database must agree on what time it is. ``real_now`` is the clock without any shift."""
    if app.settings.clock_shift:
        text = f"时钟被 SLA_CLOCK_SHIFT 移动了 {app.settings.clock_shift:g} 秒，时间和提醒都不是真的"
        return Check("clock", "warning", text, "去掉 SLA_CLOCK_SHIFT")
    with app.db.read() as conn:
        before = real_now()
        there = checks.clock(conn)
        after = real_now()
    if there is None:
        return Check("clock", "ok", "数据库就在本机，时钟相同")
    skew = there - (before + (after - before) / 2)
    if abs(skew) > _SKEW + (after - before):
        fast = "快" if skew > timedelta() else "慢"
        return Check("clock", "error", f"数据库的时钟比本机{fast} {span(abs(skew))}", "在两台机器上启用 NTP 对时")
    return Check("clock", "ok", f"与数据库的时钟相差不到 {_SKEW.seconds} 秒")


def disk(app: App) -> Check:
    """The file system that holds SQLite's file and what runs here; PostgreSQL's own disk cannot be seen from here."""
    folder = app.settings.sqlite_path.parent if app.settings.sqlite_path is not None else app.settings.var_dir
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    free = shutil.disk_usage(there).free
    text = f"{there.absolute()} 所在的磁盘还剩 {free / _GB:.1f} GB"
    if not os.access(there, os.W_OK):
        return Check("disk", "error", f"{there.absolute()} 不能写", "检查文件夹的权限，或改 SLA_VAR_DIR；sla settings")
    fix = "清理磁盘；旧的审计日志 sla audit prune --days 180"
    if free < _LITTLE:
        return Check("disk", "error" if free < _NONE else "warning", text, fix)
    return Check("disk", "ok", text)


def broker(problem: str | None) -> Check:
    if problem is None:
        return Check("broker", "ok", "消息队列有回应")
    return Check("broker", "error", problem, "sla up（或检查 SLA_BROKER_URL）")
