"""Bodies and words made to hurt: bombs, depth, formulas, markup, line breaks, paths, addresses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import re
import socket
import subprocess
import sys
import zipfile

import openpyxl
import pytest
from door import BATCH, STRUCTURED, case_path, open_door, problem

from sla_service.cli import exports
from sla_service.store import tables


@pytest.fixture
def door(sqlite_url):
    with open_door(sqlite_url, max_body_bytes=1 << 20) as opened:
        yield opened


# -- bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"specversion":"1.0","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"id":' + b"9" * 5_000 + b"}",
        b'{"id":1e999999}',
        b'{"id":NaN}',
        b"\xff\xfe{}",
        b'{"specversion":"1.0","id":"\\ud800","source":"hall"}',
    ],
    ids=["depth", "depth of objects", "depth in data", "long number", "huge number", "NaN", "UTF-16", "surrogate"],
)
def test_a_body_made_to_break_the_reader_is_refused_in_a_sentence(door, body):
    response = door.post(body)
    assert response.status_code in (400, 422), response.text
    problem(response, response.status_code)
    assert door.post(door.accepted()).status_code == 200


def test_oversized_bodies_are_413_packed_and_unpacked_without_being_held(door):
    problem(door.post(b"x" * ((1 << 20) + 1)), 413)
    bomb = gzip.compress(b" " * (200 << 20), 9)
    assert len(bomb) < 1 << 20
    problem(door.post(bomb, headers={"Content-Encoding": "gzip"}), 413)
    members = gzip.compress(b" " * (1 << 20)) * 50
    problem(door.post(members, headers={"Content-Encoding": "gzip"}), 413)
    nested = gzip.compress(bomb)
    assert door.post(nested, headers={"Content-Encoding": "gzip"}).status_code == 400
    assert door.post(door.accepted()).status_code == 200


def test_more_events_than_a_batch_holds_are_413(door):
    problem(door.post(b"[" + b",".join([b"{}"] * 1001) + b"]", BATCH), 413)


# -- workbooks ------------------------------------------------------------------------------------------------------


def _book(tmp_path, **parts: bytes):
    """A workbook of one row in which some parts are exchanged for others."""
    book = openpyxl.Workbook()
    for row in (["受理编号", "受理时间", "事由"], ["A1", "2026-11-02 09:00", "事由一"]):
        book.active.append(row)
    plain = io.BytesIO()
    book.save(plain)
    path = tmp_path / "register.xlsx"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.get(name.rpartition("/")[2].replace(".xml", ""), old.read(name)))
    return path


def _ingest(tmp_path, path) -> subprocess.CompletedProcess[str]:
    """With a gigabyte of memory at most: who unpacks the bomb dies of it."""
    argv = [sys.executable, "-m", "sla_service", "ingest", str(path), "--source", "hall"]
    limited = ["/bin/sh", "-c", 'ulimit -v 1500000; exec "$@"', "sh", *argv]
    env = {"SLA_DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(limited, env=env, capture_output=True, text=True, cwd=tmp_path, timeout=120, check=False)


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked(tmp_path):
    bomb = b"<sst>" + b" " * (700 << 20)
    done = _ingest(tmp_path, _book(tmp_path, styles=bomb))
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "解开" in done.stderr


@pytest.mark.parametrize("part", ["styles", "workbook", "sheet1"])
def test_external_and_growing_entities_in_a_workbook_read_no_file_and_grow_nothing(tmp_path, part):
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP-SECRET")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    entities = f'<!ENTITY f SYSTEM "file://{secret}"><!ENTITY l0 "ha">{laughs}'
    xml = f"<!DOCTYPE x [{entities}]><sst><si><t>&f;&l9;</t></si></sst>"
    done = _ingest(tmp_path, _book(tmp_path, **{part: xml.encode()}))
    assert "Traceback" not in done.stderr
    assert "TOP-SECRET" not in done.stdout + done.stderr
    assert done.returncode == 1


# -- what is written into files, logs and messages --------------------------------------------------------------------

FORMULAS = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_exported_sheet_holds_a_formula(text):
    case = dict.fromkeys(exports.COLUMNS) | {"source": "hall", "no": text, "title": text, "findings": []}
    rows = list(csv.reader(io.StringIO("".join(exports.csv_lines([case])).lstrip("\ufeff"))))
    for cell in rows[1]:
        assert not re.match(r"[=+\-@\t\r]", cell), cell
    file = io.BytesIO()
    exports.workbook([case], file)
    sheet = openpyxl.load_workbook(file).active
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)


def test_no_line_of_the_log_can_be_forged(door, caplog):
    caplog.set_level(logging.DEBUG)
    forged = "e-1\n2026-11-20 ERROR administrator logged in"
    for field in ("id", "subject", "type", "source"):
        door.post(door.accepted() | {field: forged})
        door.post([door.accepted() | {field: forged}], BATCH)
    door.get(case_path(forged))
    door.get("/v1/cases", q=forged, cursor=forged)
    ours = [r for r in caplog.records if r.name.startswith(("sla_service", "tasks"))]
    assert not [r for r in ours if "\n" in r.getMessage() or "\r" in r.getMessage()]


@pytest.mark.parametrize("field", ["id", "subject"])
def test_control_characters_are_refused_in_names_that_go_into_lines(door, field):
    response = door.post(door.accepted() | {field: "x\r\nBcc: all@example.org"})
    problem(response, 422)


def test_a_title_cannot_add_a_header_or_a_second_message(door):
    evil = "x\r\nBcc: all@example.org\r\n\r\n【假通知】"
    door.send(door.accepted("T-1", title=evil, handler="zhangsan", department="社会事务科"))
    door.hall.until("2026-11-26 09:00")
    shown = door.rows(tables.mailbox)
    assert shown
    for row in shown:
        assert "\r" not in row["title"] + row["body"]
        assert "\n" not in row["title"]
        assert not [line for line in row["body"].splitlines() if line.startswith(("Bcc:", "【假通知】"))]


@pytest.mark.parametrize(
    "title", ["{{7*7}}", "${7*7}", "{% for x in y %}", "<script>alert(1)</script>", '"><img src=x>']
)
def test_a_title_is_text_on_every_page_and_in_every_message(door, title):
    door.send(door.accepted("T-1", title=title, handler="zhangsan", department="社会事务科"))
    for path in ("/", "/cases/hall/T-1"):
        page = door.client.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x>" not in page.text
        assert "49" not in page.text.replace("2049", "") or "7*7" in page.text
        assert "script-src" not in page.headers["content-security-policy"]
        assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "/static/%2e%2e%2f%2e%2e%2fsettings.py",
        "/static//etc/passwd",
        "/static/%00style.css",
        "/cases/..%2f..%2fetc/passwd",
        "/cases/hall/..%2f..%2f..%2fetc%2fpasswd",
    ],
)
def test_no_path_leaves_its_folder(door, path):
    response = door.client.get(path)
    assert response.status_code == 404
    assert "root:" not in response.text
    assert "import" not in response.text


def test_nothing_that_a_sender_writes_is_fetched(door):
    """CloudEvents has attributes that are addresses. Nobody calls there."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/"
        event = door.accepted(title=address, department=address) | {"dataschema": address, "traceparent": address}
        door.post(event)
        door.post(json.dumps({"$ref": address}).encode(), STRUCTURED)
        with pytest.raises(TimeoutError):
            trap.accept()


def test_one_route_alone_takes_an_address_to_call_and_none_that_leads_inside(door):
    """A further one needs the ban on private addresses too: this test then asks for it."""
    document = door.api.openapi()
    named = re.compile(r'"(?:url|callback|endpoint|target_url|format": "uri)"')
    models = {name for name, model in document["components"]["schemas"].items() if named.search(json.dumps(model))}
    asked = {
        path: json.dumps([[m.get("parameters"), m.get("requestBody")] for m in methods.values()])
        for path, methods in document["paths"].items()
    }
    takes = {p for p, text in asked.items() if named.search(text) or any(f'schemas/{m}"' in text for m in models)}
    assert takes == {"/v1/webhook"}
    for inside in ("https://127.0.0.1/x", "https://169.254.169.254/latest", "https://10.0.0.1/", "https://[::1]/"):
        answer = door.client.request("PUT", "/v1/webhook", json={"url": inside}, headers=door.headers())
        problem(answer, 422)
