"""``sla audit``: verified, exported and let go of as an auditor does it."""

from __future__ import annotations

import json

import sqlalchemy as sa
from command_line import accepted
from test_doctor_command import database

from sla_service.store import tables

A, B = tables.audit, tables.audit_blocks


def used(shell):
    """A hall in use: a source, a key, an event; the log is sealed by the first look at it."""
    shell.clock("2026-11-20 09:00")
    shell.ok("source", "add", "other")
    shell.ok("source", "rotate", "other")
    shell.ok("ingest", shell.write("e.jsonl", [accepted("2026-11-20 09:00")]))
    return shell.ok("audit", "verify", "--json").json


def test_a_whole_log_is_verified_with_its_head(both):
    first = used(both)
    assert (first["ok"], first["unsealed"], first["findings"]) == (True, 0, [])
    people = both.ok("audit", "verify")
    assert people.lines[-2:] == [f"head {first['head']}", "核对无误。"]
    both.ok("source", "add", "third")
    later = both.ok("audit", "verify", "--expect", first["head"], "--json").json
    assert later["head"] != first["head"]


def test_a_row_that_was_changed_missing_or_slipped_in_is_named_with_exit_code_1(both):
    used(both)
    with database(both) as conn:
        seq, who = conn.execute(sa.select(A.c.seq, A.c.who).where(A.c.what == "source.rotate")).one()
        conn.execute(A.update().where(A.c.seq == seq).values(who="cli:somebody"))
    said = both("audit", "verify")
    assert (said.code, said.lines[0]) == (1, f"第 1 块，第 {seq} 行：这一行被改动，或它前面少了或多了一行")
    with database(both) as conn:
        conn.execute(A.update().where(A.c.seq == seq).values(who=who))
    both.ok("audit", "verify")
    with database(both) as conn:
        row = dict(conn.execute(sa.select(A).where(A.c.seq == seq)).mappings().one())
        conn.execute(A.delete().where(A.c.seq == seq))
    assert both("audit", "verify", "--json").json["ok"] is False
    with database(both) as conn:
        conn.execute(A.insert().values(**row))
    both.ok("audit", "verify")
    with database(both) as conn:
        top = conn.execute(sa.select(sa.func.max(A.c.seq))).scalar_one()
        conn.execute(A.insert().values(**{**row, "seq": top + 1, "who": "cli:slipped in"}))
    assert both("audit", "verify").code == 1


def test_a_chain_written_anew_is_found_by_the_head_that_was_kept(both):
    head = used(both)["head"]
    with database(both) as conn:
        conn.execute(B.delete())
        conn.execute(A.update().values(who="cli:somebody", block=None, hash=None))
    both.ok("audit", "verify")  # whole in itself
    said = both("audit", "verify", "--expect", head)
    assert said.code == 1
    assert "整条链可能被重写过" in said.out


def test_the_log_comes_out_as_json_lines_for_the_days_asked_for(both):
    used(both)
    rows = [json.loads(line) for line in both.ok("audit", "export").lines]
    events = [r for r in rows if r["what"] == "events"]
    assert [(r["who"], r["result"]) for r in events] == [("source:hall", "applied=1")]
    assert {"seq", "at", "block", "hash", "subject", "detail"} <= set(rows[0])
    assert both.ok("audit", "export", "--from", "2026-11-20", "--to", "2026-11-21").lines != []
    assert both.ok("audit", "export", "--to", "2026-11-20").out == ""
    assert both.ok("audit", "export", "--from", "2026-11-21").out == ""


def test_nothing_younger_than_180_days_is_let_go_of(both):
    used(both)
    said = both("audit", "prune", "--days", "179")
    assert said.code == 1
    assert "至少保存 180 天" in said.err
    assert both.ok("audit", "prune", "--days", "180").out == "删除了 0 行。\n"
    both.clock("2027-06-10 09:00")
    both.ok("audit", "prune", "--days", "180")
    later = both.ok("audit", "verify", "--json").json
    assert (later["ok"], later["pruned"]) == (True, 1)


def test_sm3_by_setting_makes_a_chain_that_goes_on_from_the_other(both):
    used(both)
    both.env["SLA_AUDIT_HASH"] = "sm3"
    both.ok("source", "add", "third")
    assert both.ok("audit", "verify", "--json").json["blocks"] == 2
    with database(both) as conn:
        found = conn.execute(sa.select(B.c.algorithm).order_by(B.c.n)).scalars().all()
    assert found == ["sha256", "sm3"]
