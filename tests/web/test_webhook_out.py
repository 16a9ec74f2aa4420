"""``/v1/webhook``: a case system says where it wants to be told, and hears what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from door import Door, open_door, problem

from sla_service.store import tables_webhooks

HOOK = "/v1/webhook"
PUBLIC = "https://8.8.8.8/sla"  # an address: no name server is asked
_KEY = {"key": ""}


def put(door: Door, url: object, **more):
    return door.client.request("PUT", HOOK, json={"url": url}, headers=door.headers(**{**_KEY, **more}))


def test_an_address_is_set_shown_changed_and_removed(door):
    problem(door.get(HOOK), 404)
    made = put(door, PUBLIC)
    assert made.status_code == 200, made.text
    body = made.json()
    assert body["secret"].startswith("whsec_")
    assert (body["source"], body["url"], body["state"], body["waiting"], body["dead"]) == (
        "hall",
        PUBLIC,
        "active",
        0,
        0,
    )
    shown = door.get(HOOK).json()
    assert "secret" not in shown
    assert shown == {k: v for k, v in body.items() if k != "secret"}
    again = put(door, PUBLIC + "?x=1").json()
    assert "secret" not in again, "a new address keeps the secret"
    assert again["secrets"] == body["secrets"]
    gone = door.client.request("DELETE", HOOK, headers=door.headers())
    assert (gone.status_code, gone.content) == (204, b"")
    problem(door.client.request("DELETE", HOOK, headers=door.headers()), 404)
    assert put(door, PUBLIC).json()["secret"] != body["secret"]


def test_a_new_secret_signs_beside_the_old_one_for_a_while(door):
    first = put(door, PUBLIC).json()
    path = f"{HOOK}/secret"
    made = door.client.post(path, json={"overlap_seconds": 3600}, headers=door.headers()).json()
    assert made["secret"] not in (first["secret"], None)
    assert [s["expires_at"] for s in made["secrets"]] == [None, "2026-11-20T11:12:00+08:00"]
    problem(door.client.post(path, json={"overlap_seconds": -1}, headers=door.headers()), 422)
    door.hall.now += timedelta(hours=2)
    assert len(door.get(HOOK).json()["secrets"]) == 1


def test_everybody_sees_his_own_only(lite):
    put(lite, PUBLIC)
    other = lite.new_source("other")
    problem(lite.get(HOOK, key=other), 404)
    put(lite, "https://8.8.4.4/", key=other)
    assert lite.get(HOOK).json()["url"] == PUBLIC
    problem(lite.get(HOOK, key=None), 401)
    problem(put(lite, PUBLIC, key=None), 401)


PRIVATE = [
    "https://127.0.0.1/",
    "https://10.0.0.1/",
    "https://192.168.1.1:8443/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.100.100.200/",
    "https://0.0.0.0/",
    "https://255.255.255.255/",
    "https://224.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fc00::1]/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST:8443/",
    "https://no-such-host.invalid/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_nothing_that_leads_inside_is_taken_and_all_get_the_same_words(lite, url):
    said = problem(put(lite, url), 422)
    assert said["field"] == "url"
    assert "SLA_WEBHOOK_PRIVATE" in said["detail"]
    assert lite.rows(tables_webhooks.webhooks) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8/",
        "ftp://8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "//8.8.8.8/",
        "8.8.8.8",
        "",
        "https://",
        "https:///x",
        "https://user:pw@8.8.8.8/",
        "https://user@8.8.8.8/",
        "https://8.8.8.8#@127.0.0.1/",
        "https://8.8.8.8\\@127.0.0.1/",
        "https://8.8.8.8:22/",
        "https://8.8.8.8:25/",
        "https://8.8.8.8:0/",
        "https://8.8.8.8:99999/",
        "https://8.8.8.8:x/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://8.8.8.8/\r\nHost: x",
        "https://8.8.8.8/ x",
        "https://８.8.8.8/",
        "https://8.8.8.8/" + "x" * 2000,
        17,
        None,
        ["https://8.8.8.8/"],
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(lite, url):
    said = problem(put(lite, url), 422)
    assert said["field"] == "url"
    assert lite.rows(tables_webhooks.webhooks) == []


def test_private_addresses_by_explicit_setting_only_and_metadata_services_never(sqlite_url):
    with open_door(sqlite_url, webhook_private=True, webhook_http=True) as door:
        for url in ("http://127.0.0.1:9000/told", "https://10.1.2.3/", "https://[fc00::1]:8443/"):
            assert put(door, url).status_code == 200, url
        for url in ("http://169.254.169.254/", "http://[::ffff:169.254.169.254]/", "http://100.100.100.200/"):
            problem(put(door, url), 422)
    with open_door(sqlite_url, webhook_http=True) as door:
        assert put(door, "http://8.8.8.8/").status_code == 200
        problem(put(door, "http://10.1.2.3/"), 422)
