"""``sla source webhook`` and ``sla webhooks``: an address, what was told there, what could not be, and once more."""

from __future__ import annotations

import json

import pytest
from builders import at
from command_line import accepted, closed
from hooked import HERE
from receiver import Receiver

from sla_service import systime
from sla_service.delivery.webhook_client import Poster
from sla_service.services import webhook_sending
from sla_service.store import tables_webhooks
from sla_service.store.engine import Database

PUBLIC = "https://8.8.8.8/sla?token=geheim"


@pytest.fixture
def hall(both):
    both.ok("source", "add", "hall", "--go-live", "2026-11-01")
    return both


def send(shell) -> None:
    """What the worker does."""
    from story import make_app

    app = make_app(shell.env["SLA_DATABASE_URL"])
    webhook_sending.send(app, Poster(HERE), clock=lambda: systime.now() - systime.shift() + shell.shift)
    app.channels.close()
    app.db.dispose()


def told(shell, *, answer) -> None:
    """Two cases closed, told to a receiver that answers so."""
    with Receiver(answer=answer) as receiver:
        shell.env |= {"SLA_WEBHOOK_HTTP": "1", "SLA_WEBHOOK_PRIVATE": "1"}
        shell.ok("source", "webhook", "hall", "--url", receiver.url)
        rows = [accepted(no=no) for no in ("A", "B")] + [closed(no=no, time="2026-11-24 10:00") for no in ("A", "B")]
        shell.ok("ingest", shell.write("e.jsonl", rows))
        send(shell)


def test_an_address_is_set_shown_rotated_and_removed(hall):
    made = hall.ok("source", "webhook", "hall", "--url", PUBLIC)
    assert made.lines[0] == "地址      https://8.8.8.8/sla?token=***"
    assert "新密钥    whsec_" in made.out
    assert "只显示这一次" in made.err
    assert "whsec_" not in hall.ok("source", "webhook", "hall").out
    new = hall.ok("source", "webhook", "hall", "--rotate", "--json").json
    assert new["secret"].startswith("whsec_")
    assert [s["expires_at"][:10] if s["expires_at"] else None for s in new["secrets"]] == [None, "2026-12-02"]
    [listed] = hall.ok("source", "list", "--json").json
    assert listed["webhook"] == "https://8.8.8.8/sla?token=***"
    assert (
        hall.ok("source", "webhook", "hall", "--remove").out == "hall 的 webhook 已去掉，0 个没有发出的事件不再发。\n"
    )
    said = hall("source", "webhook", "hall")
    assert (said.code, said.out) == (1, "")
    assert said.err == "sla：来源 hall 没有设置 webhook；设置用 sla source webhook hall --url 地址。\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--url", "http://8.8.8.8/"], "SLA_WEBHOOK_HTTP=true"),
        (["--url", "https://127.0.0.1/"], "SLA_WEBHOOK_PRIVATE=true"),
        (["--url", "https://localhost/"], "SLA_WEBHOOK_PRIVATE=true"),
        (["--url", PUBLIC, "--remove"], "一次只写一个"),
    ],
)
def test_what_cannot_be_set_is_one_sentence(hall, args, sentence):
    said = hall("source", "webhook", "hall", *args)
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert sentence in said.err


def test_what_was_told_is_listed_and_shown(hall):
    told(hall, answer=200)
    rows = sorted(hall.ok("webhooks", "list", "--json").json, key=lambda r: r["no"])
    assert [(r["no"], r["type"], r["state"], r["status"]) for r in rows] == [
        (no, "sla.closed", "sent", 200) for no in ("A", "B")
    ]
    assert sorted(line.split()[2:6] for line in hall.ok("webhooks", "list").lines[2:]) == [
        ["hall", no, "sla.closed", "已收下"] for no in ("A", "B")
    ]
    shown = hall.ok("webhooks", "show", rows[0]["id"], "--json").json
    assert (shown["event"]["id"], shown["event"]["data"]["case"]["no"]) == (rows[0]["id"], "A")
    assert rows[0]["id"] in hall.ok("webhooks", "show", rows[0]["id"]).lines[0]
    assert hall.ok("source", "webhook", "hall").lines[1].endswith("正常")


def test_what_was_given_up_is_seen_by_the_doctor_and_repeated(hall):
    told(hall, answer=410)
    assert "回答 410" in hall.ok("source", "webhook", "hall").out
    found = [c for c in hall("doctor", "--json").json["checks"] if c["check"] == "webhooks"]
    assert {c["level"] for c in found} == {"warning", "error"}
    dead = hall.ok("webhooks", "list", "--state", "dead", "--json").json
    assert len(dead) == 2
    one = dead[0]["id"]
    assert hall.ok("webhooks", "retry", one).out == "1 个事件会再发一遍。\n"
    again = hall("webhooks", "retry", one)
    assert (again.code, again.err) == (2, f"sla：{one} 没有放弃，不用重发；状态见 sla webhooks show {one}。\n")
    assert hall.ok("webhooks", "retry", "--all", "--json").json == {"events": 1}
    assert "等待" in hall.ok("webhooks", "list").out


def test_wrong_use_of_retry_is_said(hall):
    for args in ([], ["--all", "--source", "hall"]):
        said = hall("webhooks", "retry", *args)
        assert (said.code, said.err) == (2, "sla：写一个编号，或 --source 来源，或 --all。\n")
    said = hall("webhooks", "show", "evt_nothing")
    assert said.err == "sla：没有发给业务系统的事件 evt_nothing，用 sla webhooks list 查看。\n"


def test_a_signing_secret_is_shown_once_and_listed_without_it(both):
    made = both.ok("source", "add", "hall", "--signing", "--json").json
    assert made["signing_secret"].startswith("whsec_")
    new = both.ok("source", "rotate", "hall", "--signing", "--overlap", "2h", "--json").json
    assert new["signing_secret"] != made["signing_secret"]
    assert new["old_secrets_until"].startswith("2026-12-01T12:00:")
    assert "key" not in new, "the key is left alone"
    page = both.ok("source", "list").out
    assert page.count("签名 ") == 2
    assert page.count("sla_") == 1
    assert "whsec_" not in page + both.ok("source", "list", "--json").out


def test_a_change_of_the_data_key_takes_the_secrets_along(both):
    both.env["SLA_DATA_KEY"] = "k" * 40
    both.ok("source", "add", "hall", "--signing")
    both.env |= {"SLA_DATA_KEY": "n" * 40, "SLA_DATA_KEY_OLD": "k" * 40}
    assert both.ok("data", "reseal", "--json").json == {"rows": 1}
    database = Database(both.env["SLA_DATABASE_URL"])
    with database.read() as conn:
        [row] = [dict(r) for r in conn.execute(tables_webhooks.signing_secrets.select()).mappings()]
    database.dispose()
    assert "whsec" not in json.dumps(row, default=str)
    assert row["created_at"] < at("2026-12-01 10:05")
