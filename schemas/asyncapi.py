"""The doors that are not HTTP requests, as AsyncAPI 3: the stream, the Celery task, and what is sent out."""

from __future__ import annotations

from typing import Any, Final

from schemas.event_data import DATA
from schemas.event_envelope import EXAMPLE, json_schema
from schemas.event_words import WORDS
from schemas.json_schemas import outgoing
from schemas.outgoing import OUTGOING
from schemas.reply_words import OUTGOING_WORDS
from schemas.version import CONTRACT

Part = dict[str, Any]

STREAM: Final = "sla:events"
DEAD: Final = "sla:events:dead"
TASK: Final = "sla.ingest"
QUEUE: Final = "intake"
BATCH: Final = 500
_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """不走 HTTP 请求的门：Redis 流 `sla:events`、Celery 任务 `sla.ingest`，以及发给业务系统的 webhook。

事件的样式、规则和结果与 `POST /v1/events` 完全相同，都可以重复发送。收不下的连同原因留存，用 `sla inbox list` 查看。
例子和什么时候重发见 docs/integrate.md。"""


def document() -> Part:
    """The whole document; the same on every machine and at every time."""
    schemas = _event_schemas() | _outgoing_schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "sla-service", "version": CONTRACT, "description": _ABOUT},
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "{address}",
                "protocol": "redis",
                "description": "SLA_BROKER_URL 所指的 Redis 或 Valkey；sla up 自带的那个由 SLA_VALKEY_PORT 打开",
                "variables": {"address": {"default": "127.0.0.1:6379", "description": "主机:端口"}},
            },
            "receiver": {
                "host": "{host}",
                "protocol": "https",
                "description": "业务系统登记的地址（sla source webhook）",
                "variables": {"host": {"description": "主机和端口"}},
            },
        },
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": dict(sorted(schemas.items()))},
    }


def _channels() -> Part:
    def carries(*names: str) -> Part:
        return {name: {"$ref": f"#/components/messages/{name}"} for name in names}

    broker, receiver = [{"$ref": "#/servers/broker"}], [{"$ref": "#/servers/receiver"}]
    return {
        "events": {
            "address": STREAM,
            "title": "事件流",
            "description": (
                "Redis 流：XADD sla:events * event 事件的JSON。每个条目一个事件。提交之后才确认，"
                "写入后可以放心忘记；Redis 要开 appendonly，没被读走的条目只在那里。"
            ),
            "servers": broker,
            "messages": carries("StreamEntry"),
        },
        "dead": {
            "address": DEAD,
            "title": "收不下的条目",
            "description": (
                "成不了事件的条目，带着原因；改好之后用 sla inbox dead --retry 放回去。最多留约 10,000 条，"
                "原文另外留在数据库里。"
            ),
            "servers": broker,
            "messages": carries("DeadEntry"),
        },
        "ingest": {
            "address": QUEUE,
            "title": "Celery 任务 sla.ingest",
            "description": (
                "Celery 的消息（协议 2，JSON），队列 intake。参数是一个事件或事件的列表；提交之后才确认，没有返回值。"
            ),
            "servers": broker,
            "messages": carries("IngestTask"),
        },
        "webhook": {
            "address": "{path}",
            "title": "发给业务系统的事件",
            "description": (
                "CloudEvents（结构化 JSON），按 Standard Webhooks 签名（webhook-id、webhook-timestamp、"
                "webhook-signature）。回答 2xx 就算收到；否则退避重发至少 24 小时，同一办件的按顺序。"
            ),
            "parameters": {"path": {"description": "登记的地址里的路径"}},
            "servers": receiver,
            "messages": carries(*(_name(t) for t in OUTGOING)),
        },
    }


def _operations() -> Part:
    def on(channel: str, action: str, summary: str) -> Part:
        return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}

    return {
        "receiveEvent": on("events", "receive", "从流里收一个事件"),
        "setAside": on("dead", "send", "放下一个成不了事件的条目"),
        "receiveTask": on("ingest", "receive", "收一个任务里的事件"),
        "tellSource": on("webhook", "send", "告诉业务系统发生了什么"),
    }


def _messages() -> Part:
    text = {"type": "string", "contentMediaType": "application/cloudevents+json", "description": "一个 Event 的 JSON"}
    event = {"$ref": _REF.format(model="Event")}
    body = "event 字段里的 JSON 是一个 Event（components.schemas.Event）。"
    entry: Part = {
        "name": "StreamEntry",
        "title": "流里的一个条目",
        "description": body,
        "payload": {"type": "object", "required": ["event"], "properties": {"event": text}},
    }
    reasons: Part = {
        "id": {"type": "string", "description": "在 sla:events 里的条目号"},
        "reason": {"type": "string", "description": "为什么收不下，一句话"},
        "event": {**text, "description": "原样；条目里没有 event 字段时没有"},
    }
    dead: Part = {
        "name": "DeadEntry",
        "title": "收不下的条目",
        "description": "原条目的各字段，加上 id 和 reason。",
        "payload": {"type": "object", "required": ["id", "reason"], "properties": reasons},
    }
    args: Part = {
        "type": "array",
        "description": "任务的位置参数，只有一个：一个事件，或事件的列表",
        "minItems": 1,
        "maxItems": 1,
        "items": {"anyOf": [event, {"type": "array", "items": event}]},
    }
    task: Part = {
        "name": "IngestTask",
        "title": "sla.ingest",
        "description": f"Celery 消息协议 2：请求头 task 为 {TASK}，正文是 [args, kwargs, embed]。"
        "用 Celery 的 send_task 就不必管这些。",
        "headers": {"type": "object", "required": ["task"], "properties": {"task": {"type": "string", "const": TASK}}},
        "payload": {"type": "array", "items": [args, {"type": "object"}, {"type": "object"}]},
        "examples": [{"name": "accepted", "summary": "受理一件", "payload": [[EXAMPLE], {}, {}]}],
    }
    found = {"StreamEntry": entry, "DeadEntry": dead, "IngestTask": task}
    for type_ in OUTGOING:
        found[_name(type_)] = _told(type_)
    return found


def _told(type_: str) -> Part:
    example = OUTGOING[type_].model_json_schema()["examples"][0]
    headers = {
        "webhook-id": {"type": "string", "description": "与正文的 id 相同，重发不变"},
        "webhook-timestamp": {"type": "string", "description": "发送的时刻，Unix 秒"},
        "webhook-signature": {
            "type": "string",
            "description": "v1, 加 base64 的 HMAC-SHA256；可有几个，空格隔开",
        },
    }
    return {
        "name": type_,
        "title": OUTGOING_WORDS.get(type_, type_),
        "contentType": "application/cloudevents+json",
        "headers": {"type": "object", "required": sorted(headers), "properties": headers},
        "payload": {"$ref": _REF.format(model=_name(type_))},
        "examples": [{"name": type_.replace(".", "_"), "payload": example}],
    }


def _name(type_: str) -> str:
    """``sla.due_changed`` -> ``SlaDueChanged``: component names hold no dots."""
    return "".join(part.title() for part in type_.replace("_", ".").split("."))


def _event_schemas() -> Part:
    event = json_schema(_REF)
    parts: Part = event.pop("$defs")
    event.pop("discriminator")  # OpenAPI's form of it; the constant in each ``type`` says the same
    by_type = {DATA[t].__name__: f"{t}：{WORDS[t][0]}" for t in DATA}
    for name, schema in parts.items():
        schema["title"] = by_type.get(name, schema["title"])
    return {**parts, "Event": event}


def _outgoing_schemas() -> Part:
    found: Part = {}
    for type_ in OUTGOING:
        schema = outgoing(type_, _REF)
        found |= schema.pop("$defs")
        found[_name(type_)] = schema
    return found
