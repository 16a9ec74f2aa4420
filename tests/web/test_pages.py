"""The pages: what they show, to whom, and that they are pages for people."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from client import Client
from door import BATCH, at, open_door

from sla_service.store import tables
from sla_service.web.app import create_app

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


class Tags(HTMLParser):
    """All tags with their attributes; complains about what is left open."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"


def page(door, path, status=200, **headers):
    response = door.client.get(path, headers=BROWSER | headers)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    tags = Tags()
    tags.feed(response.text)
    assert tags.open == []
    for tag, attributes in tags.found:
        assert tag not in ("script", "style", "iframe"), "the policy of the page would block it"
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src"):
            assert not attributes.get(name, "").startswith(("http:", "https:", "//")), "must work without the internet"
    return response.text


@pytest.fixture
def hall(door):
    """A case that ran out, one for today, one for tomorrow, one that has time, one paused; messages about them."""
    events = [
        door.accepted("RED-1", "2026-11-17 09:00", title="诊所名称核准", handler="zhangsan", department="社会事务科"),
        door.accepted("〔2026〕3号/甲", "2026-11-20 09:00", title="<b>宅基地</b>确权"),
        door.accepted("SOON-1", "2026-11-20 10:11", kind="complex", handler="10023", department="社会事务科"),
        door.accepted("FINE-1", "2026-11-20 10:11", kind="complex"),
        door.accepted("HELD-1", "2026-11-20 10:11"),
        door.hall.event("case.paused", "2026-11-20 10:12", no="HELD-1", reason="expert_review"),
        door.hall.event("case.extended", "2026-11-20 10:12", no="SOON-1", until="2026-11-26", reason="会商"),
    ]
    results = door.post(events, BATCH).json()["results"]
    assert {r["status"] for r in results} == {"applied"}
    door.hall.until("2026-11-25 10:00")
    return door


def test_the_overview_counts_by_light_and_lists_what_is_urgent_first(hall):
    html = page(hall, "/")
    found = {name: int(n) for n, name in re.findall(r"<b>(\d+)</b>.*?</span>([^<]+)</span></li>", html, re.DOTALL)}
    assert found == {"已超期": 1, "今天到期": 1, "临期": 0, "正常": 2, "挂起": 1}
    assert html.index("RED-1") < html.index("〔2026〕3号/甲")
    assert "超期 3 个工作日" in html
    assert "今天到期" in html
    assert "FINE-1" not in html
    assert "张三" in html
    assert "■" in html, "a shape beside the colour"


def test_names_from_outside_are_escaped_and_links_lead_to_the_case(hall):
    html = page(hall, "/")
    assert "<b>宅基地</b>" not in html
    assert "&lt;b&gt;宅基地" in html
    [link] = [h for h in re.findall(r'href="(/cases/[^"]+)"', html) if "%2F" in h]
    assert "宅基地" in page(hall, link)


def test_the_cases_page_shows_light_account_history_and_messages(hall):
    html = page(hall, "/cases/hall/RED-1")
    for words in (
        "超期 3 个工作日",
        "诊所名称核准",
        "11月20日（周五）第 3 个工作日，到期（17:30）",
        "11月18日（周三）第 1 个工作日",
        "受理：简单事项",
    ):
        assert words in html
    held = page(hall, "/cases/hall/HELD-1")
    assert "挂起（专家评审），不计入" in held
    assert "挂起未告知当事人" in held


def test_the_sandbox_shows_what_phones_would_have_shown_newest_first(hall):
    html = page(hall, "/sandbox")
    assert 'http-equiv="refresh"' in html
    rows = hall.rows(tables.mailbox)
    assert len(rows) > 1
    titles = [html.index(r["title"]) for r in sorted(rows, key=lambda r: -r["id"])]
    assert titles[0] == min(titles)
    assert "企业微信" in html
    only = page(hall, f"/sandbox?to={rows[0]['recipient']}")
    assert only.count('class="bubble') == sum(r["recipient"] == rows[0]["recipient"] for r in rows)


def test_older_messages_are_a_page_away(lite):
    with lite.hall.app.db.write() as conn:
        conn.execute(
            tables.mailbox.insert(),
            [
                {"at": lite.hall.now, "channel": "sms", "recipient": "x", "name": "", "title": f"T{i};", "body": "b"}
                for i in range(60)
            ],
        )
    html = page(lite, "/sandbox")
    assert "T59;" in html
    assert "T9;" not in html
    [older] = re.findall(r'href="(/sandbox\?before=\d+)"', html)
    html = page(lite, older)
    assert "T9;" in html
    assert "refresh" not in html


def test_an_empty_service_says_how_to_begin(lite):
    html = page(lite, "/")
    assert "还没有办件" in html
    with lite.hall.app.db.write() as conn:
        conn.execute(tables.source_keys.delete())
        conn.execute(tables.sources.delete())
    html = page(lite, "/")
    assert "sla source add hall" in html
    assert "/v1/events" in html
    assert "还没有消息" in page(lite, "/sandbox")


def test_a_quiet_day_says_so(lite):
    lite.post(lite.accepted(kind="complex"))
    assert "没有超期" in page(lite, "/")


def test_more_than_fit_are_counted(lite):
    lite.post([lite.accepted(f"N{i}", "2026-11-02 09:00") for i in range(60)], BATCH)
    html = page(lite, "/")
    assert html.count('class="case red"') == 50
    assert "另有 10 件" in html


def test_what_is_not_there_is_a_page_of_one_sentence(lite):
    assert "没有办件 hall/nothing" in page(lite, "/cases/hall/nothing", 404)
    assert "没有这个地址" in page(lite, "/nothing", 404)


def test_the_docs_page_shows_every_route_with_examples(lite):
    html = page(lite, "/docs")
    for path in lite.api.openapi()["paths"]:
        assert path in html
    assert "application/cloudevents+json" in html
    assert "诊所名称核准" in html


def test_the_style_sheet_is_kept_by_browsers_until_it_changes(lite):
    [address] = re.findall(r'href="(/static/style.css\?v=\w+)"', page(lite, "/"))
    response = lite.client.get(address)
    assert response.headers["content-type"].startswith("text/css")
    assert "immutable" in response.headers["cache-control"]


def test_a_moved_clock_is_said_on_every_page(sqlite_url):
    with open_door(sqlite_url, clock_shift=3600) as door:
        assert "演练中" in page(door, "/")


# -- who may see them -------------------------------------------------------------------------------------------------

PAGES = ("/", "/sandbox", "/cases/hall/BBC-1")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("10.0.0.7", {}),
        ("::ffff:10.0.0.7", {}),
        ("testclient", {}),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.7"}),  # a proxy on this machine
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=10.0.0.7"}),
        ("127.0.0.1", {"Host": "sla.example.com"}),  # a foreign name that leads here
    ],
)
def test_pages_are_for_this_machine_alone(lite, path, address, headers):
    lite.post(lite.accepted())
    with Client(create_app(lite.hall.app, clock=lambda: lite.hall.now), address=(address, 1)) as client:
        response = client.get(path, headers=BROWSER | headers)
        assert response.status_code == 403
        assert "sla user add" in response.text
        assert "BBC-1" not in response.text
        assert client.get("/docs", headers=headers).status_code == 200, "nothing secret in it"
        assert client.get("/v1/cases", headers=headers | lite.headers()).status_code == 200, (
            "a key opens this from anywhere"
        )


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("127.0.0.1", "localhost:8000"),
        ("::1", "[::1]:8000"),
        ("::ffff:127.0.0.1", "localhost"),
        ("127.0.0.9", "127.0.0.9"),
    ],
)
def test_this_machine_is_known_by_all_its_loopback_names(lite, address, host):
    with Client(create_app(lite.hall.app, clock=lambda: lite.hall.now), address=(address, 1)) as client:
        assert client.get("/", headers=BROWSER | {"Host": host}).status_code == 200


def test_the_setting_opens_the_pages_to_others(sqlite_url):
    with (
        open_door(sqlite_url, open_pages=True) as door,
        Client(create_app(door.hall.app, clock=lambda: at("2026-11-20 10:12")), address=("10.0.0.7", 1)) as client,
    ):
        for path in ("/", "/sandbox"):
            assert client.get(path, headers=BROWSER | {"Host": "sla.example.com"}).status_code == 200
