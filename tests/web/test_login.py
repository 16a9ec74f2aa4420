"""Accounts of the pages: in and out, what each role sees, and those who try."""

from __future__ import annotations

from datetime import timedelta

import pytest
from door import open_door
from logins import BROWSER, PASSWORD, add, browser, log_in, open_, token

from sla_service.services import accounts
from sla_service.store import tables
from sla_service.store.tables_accounts import sessions


@pytest.fixture
def hall(door):
    door.send(door.accepted("MINE", kind="complex", handler="zhangsan", department="社会事务科"))
    return door


def test_with_an_account_nobody_looks_without_a_login(hall):
    with browser(hall, ("127.0.0.1", 1)) as here:
        assert open_(here, "/").status_code == 200
        add(hall, "chief", "viewer")
        for path in ("/", "/sandbox", "/cases/hall/MINE", "/account"):
            asked = open_(here, path)
            assert asked.status_code == 303
            assert asked.headers["location"].startswith("/login?next=%2F")
        assert here.get("/").status_code == 401, "a script is not sent to a form"
        assert open_(here, "/docs").status_code == 200


def test_a_login_opens_the_page_that_was_asked_for_until_the_logout(hall):
    add(hall, "chief", "viewer")
    with browser(hall) as client:
        asked = open_(client, "/cases/hall/MINE?x=1")
        form = open_(client, asked.headers["location"])
        assert 'value="/cases/hall/MINE?x=1"' in form.text
        entered = log_in(client, "chief", fields={"next": "/cases/hall/MINE?x=1"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/cases/hall/MINE?x=1")
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "MINE" in open_(client, "/cases/hall/MINE").text
        assert open_(client, "/login").status_code == 303
        left = client.post("/logout", data={"csrf": token(client)}, headers=BROWSER)
        assert left.headers["location"] == "/login"
        assert open_(client, "/").status_code == 303
    assert hall.rows(sessions) == []


@pytest.mark.parametrize(
    "next_",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:x",
        "/a\r\nX: y",
        "/／evil",
        "",
    ],
)
def test_after_the_login_nobody_is_sent_elsewhere(lite, next_):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        assert log_in(client, "chief", fields={"next": next_}).headers["location"] == "/"


def test_a_wrong_password_an_unknown_name_and_a_locked_account_answer_alike(lite):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        said = {log_in(client, "nobody").text.replace("nobody", "chief")}
        said |= {log_in(client, "chief", "wrong").text for _ in range(accounts.TRIES)}
        locked = log_in(client, "chief")
        assert locked.status_code == 401
        assert said | {locked.text} == {locked.text}
        lite.hall.now += accounts.LOCKED
        assert log_in(client, "chief").status_code == 303


def test_guesses_from_one_address_have_to_wait(sqlite_url):
    with open_door(sqlite_url, rate_failures=3) as door:
        add(door, "chief", "viewer")
        with browser(door) as client:
            assert [log_in(client, f"n{i}").status_code for i in range(4)] == [401, 401, 401, 429]


def test_a_session_ends_when_nothing_happens_and_after_its_longest_time(lite):
    add(lite, "chief", "viewer")
    settings = lite.hall.app.settings
    with browser(lite) as client:
        log_in(client, "chief")
        for _ in range(settings.session_hours * 3 - 1):
            lite.hall.now += timedelta(minutes=20)
            assert open_(client, "/").status_code == 200
        lite.hall.now += timedelta(minutes=20)
        assert open_(client, "/").status_code == 303
        log_in(client, "chief")
        lite.hall.now += timedelta(minutes=settings.session_idle_minutes)
        assert open_(client, "/").status_code == 303


def test_a_page_that_renews_itself_does_not_keep_a_session_open(lite):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        log_in(client, "chief")
        assert "60;url=?auto=1" in open_(client, "/").text
        for _ in range(2):
            lite.hall.now += timedelta(minutes=14)
            assert open_(client, "/?auto=1").status_code == 200
        lite.hall.now += timedelta(minutes=2)
        assert open_(client, "/?auto=1").status_code == 303


def test_a_new_password_or_a_removed_account_ends_every_session(lite):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        log_in(client, "chief")
        accounts.set_password(lite.hall.app, "chief", "another long one", now=lite.hall.now)
        assert open_(client, "/").status_code == 303
        assert log_in(client, "chief").status_code == 401
        log_in(client, "chief", "another long one")
        assert open_(client, "/").status_code == 200
        add(lite, "other", "viewer")
        accounts.remove(lite.hall.app, "chief", now=lite.hall.now)
        assert open_(client, "/").status_code == 303


def test_everybody_may_change_his_own_password(lite):
    add(lite, "chief", "viewer")
    new = {"old": PASSWORD, "new": "zehn Zeichen und mehr", "again": "zehn Zeichen und mehr"}
    with browser(lite) as client, browser(lite) as elsewhere:
        log_in(client, "chief")
        log_in(elsewhere, "chief")
        csrf = {"csrf": token(client, "/account")}

        def change(**fields):
            return client.post("/account", data=csrf | new | fields, headers=BROWSER)

        assert "两次输入的新密码不一样" in change(again="x").text
        assert "密码要 10 到 200 个字符" in change(new="short", again="short").text
        assert "现在的密码不对" in change(old="x").text
        assert "密码已更改" in change().text
        assert open_(client, "/").status_code == 200
        assert open_(elsewhere, "/").status_code == 303
        assert log_in(elsewhere, "chief", new["new"]).status_code == 303


@pytest.mark.parametrize("fields", [{}, {"csrf": ""}, {"csrf": "x"}, {"csrf": "字"}])
def test_a_form_without_the_sessions_token_changes_nothing(lite, fields):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        log_in(client, "chief")
        for path in ("/logout", "/account"):
            assert client.post(path, data=fields, headers=BROWSER).status_code == 403
        assert open_(client, "/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_form_logs_nobody_in(lite, headers):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        assert log_in(client, "chief", **headers).status_code == 403
        assert lite.rows(sessions) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://sla.example.cn"},  # a proxy asks under another name than the browser
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_form_is_taken_whatever_stands_before_us(sqlite_url, headers):
    with open_door(sqlite_url, public_url="https://sla.example.cn") as door:
        add(door, "chief", "viewer")
        with browser(door) as client:
            assert log_in(client, "chief", **headers).status_code == 303
            # With no-referrer browsers would send "Origin: null" with our own forms.
            assert open_(client, "/login").headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("cookie", ["x", "x" * 5000, "字", "' OR 1=1 --"])
def test_a_made_up_cookie_is_nobodys(lite, cookie):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        asked = client.get("/", headers=BROWSER | {"Cookie": f"sla_session={cookie}".encode()})
        assert asked.status_code == 303


def test_the_database_holds_neither_password_nor_cookie(lite):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        cookie = log_in(client, "chief").headers["set-cookie"].split("=")[1].split(";")[0]
    held = repr([lite.rows(table) for table in tables.metadata.sorted_tables])
    assert "argon2id" in held
    assert PASSWORD not in held
    assert cookie not in held


def test_the_audit_log_says_who_came_and_who_tried(lite):
    add(lite, "chief", "viewer")
    with browser(lite) as client:
        log_in(client, "chief", "wrong")
        log_in(client, "nobody")
        log_in(client, "chief")
    noted = [(r["who"], r["what"], r["subject"], r["result"]) for r in lite.rows(tables.audit)]
    assert ("web", "login", "chief", "refused") in noted
    assert ("web", "login", "nobody", "refused") in noted
    assert ("web:chief", "login", "chief", "ok") in noted


def test_the_cookie_is_for_https_alone_where_the_pages_are(sqlite_url):
    with open_door(sqlite_url, public_url="https://sla.example.cn") as door:
        add(door, "chief", "viewer")
        with browser(door) as client:
            assert "Secure" in log_in(client, "chief").headers["set-cookie"]
