"""A stub of all providers, and channels that point at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.stub_provider, whatever folder pytest starts in

from sla_service.delivery.message import Message, Recipient
from sla_service.delivery.plugins.ports import MemoryTokens, Ports
from sla_service.delivery.registry import Channel, open_channel
from tests.stub_provider import StubProvider

ZHANG = Recipient("zhangsan", "张三", phone="13800000001", wecom="ZhangSan")
LI = Recipient("lisi", "李四", phone="13800000002", wecom="lisi")
WANG = Recipient("wangwu", "王五", phone="13800000003", wecom="WangWu")
ZHAO = Recipient("zhaoliu", "赵六")  # reachable by nothing

URLS = {
    "wecomapp": "wecomapp://ww1:stub-secret@1000002/?base={base}",
    "wecomgroup": "wecomgroup://robot-key-1/?base={base}",
    "yunmas": "yunmas://ap1:stub-secret@某某市政务服务中心/?sign=SIGN1&template=T1&base={base}",
    "alisms": "alisms://KEY1:stub-secret@政务大厅/?template=SMS_1&base={base}",
    "tencentsms": "tencentsms://AKID1:stub-secret@1400000001/?sign=政务大厅&template=77&base={base}",
}

Open = Callable[..., Channel]


@pytest.fixture
def stub() -> Iterator[StubProvider]:
    with StubProvider() as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    """What a channel slept between quick repeats, in place of sleeping."""
    return []


@pytest.fixture
def ports(stub: StubProvider, pauses: list[float]) -> Ports:
    return Ports(tokens=MemoryTokens(), clock=stub.state.now, sleep=pauses.append)


@pytest.fixture
def open_at(stub: StubProvider, ports: Ports) -> Iterator[Open]:
    """Opens the channel of a scheme at the stub, further options of the URL as keywords."""
    opened: list[Channel] = []

    def open_(scheme: str, url: str | None = None, **options: str) -> Channel:
        url = (url or URLS[scheme]).format(base=stub.base)
        url += "".join(f"&{name}={value}" for name, value in options.items())
        opened.append(open_channel(scheme, url, ports=ports))
        return opened[-1]

    yield open_
    for channel in opened:
        channel.close()


def message(*to: Recipient, id: str = "m-1", **fields: object) -> Message:  # noqa: A002
    """A reminder as the service would hand it over, for each kind of channel."""
    given = {
        "title": "还有 1 个工作日到期",
        "body": "BBC-2026-0001 个体工商户登记，应于 2026-11-25 办结。",
        "names": ("case", "due"),
        "values": ("BBC-2026-0001", "11月25日"),
    }
    return Message(id=id, to=to or (ZHANG,), **{**given, **fields})
