"""Receipts: accepted becomes delivered, or fails and goes another way; what was unclear is cleared up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from story import CONFIG, Story, story
from test_dispatch import Provider, Providers, states

from sla_service.delivery import outcome as o
from sla_service.delivery.receipts import ReceiptError, Report, read
from sla_service.services import receipts
from sla_service.services.config import load_config
from sla_service.store import tables

BEGIN = "2026-11-20 10:12"


@pytest.fixture
def hall(db_url):
    found = load_config(CONFIG)
    target = found.policy.targets[0]
    ladder = tuple(
        replace(s, via=("sms", "wecom"), all=False) for s in target.ladder if s.key in ("due-1wd", "breach+3wd")
    )
    config = replace(found, policy=replace(found.policy, version="sms", targets=(replace(target, ladder=ladder),)))
    with story(db_url, BEGIN, config=config) as made:
        made.says("case.accepted", kind="simple", department="社会事务科", handler="zhangsan")
        yield made


def reminded(hall: Story, *script: o.Outcome) -> tuple[Provider, Provider]:
    sms, wecom = Provider("yunmas", script=list(script)), Provider()
    hall.app.channels = Providers(sms=sms, wecom=wecom)
    hall.until("2026-11-24 08:40")
    return sms, wecom


def take(hall: Story, *reports: Report) -> int:
    return receipts.take(hall.app, "sms", reports, now=hall.now)


OK = Report("p1", delivered=True, code="CM:0000", text="DELIVRD")
BAD = Report("p1", delivered=False, code="MK:0001", text="UNDELIV")


def test_a_receipt_turns_accepted_into_delivered(hall):
    reminded(hall)
    assert take(hall, OK) == 1
    assert states(hall) == [("sms", "zhangsan", "delivered")]


def test_the_same_receipt_twice_is_one(hall):
    reminded(hall)
    assert (take(hall, OK, OK), take(hall, OK)) == (1, 0)
    assert len(hall.rows(tables.receipts)) == 1


def test_a_failed_receipt_sends_it_by_the_next_channel(hall):
    _, wecom = reminded(hall)
    take(hall, BAD)
    hall.until("2026-11-24 09:10")
    assert states(hall) == [("sms", "zhangsan", "failed"), ("wecom", "zhangsan", "accepted")]
    assert {m["reason"] for m in hall.rows(tables.messages) if m["state"] == "failed"} == {"receipt: MK:0001"}
    take(hall, replace(BAD, code="MK:0002"))  # and once more with another code: it has gone another way already
    hall.until("2026-11-24 12:00")
    assert len(wecom.asked) == 1


def test_a_failed_receipt_in_the_evening_waits_for_the_morning(hall):
    _, wecom = reminded(hall)
    hall.until("2026-11-24 20:00")
    take(hall, BAD)
    hall.until("2026-11-25 08:00")
    assert wecom.asked == []
    hall.until("2026-11-25 08:40")
    assert len(wecom.asked) == 1


def test_a_late_receipt_resolves_what_was_parked_as_unknown(hall):
    reminded(hall, o.unknown("timeout"))
    assert states(hall) == [("sms", "zhangsan", "unknown")]
    take(hall, Report("p-never-heard-of", delivered=True, code="DELIVERED", message_id="d1"))
    assert states(hall) == [("sms", "zhangsan", "delivered")]


def test_a_gateway_without_our_id_is_matched_by_the_one_unclear_message_to_that_number(hall):
    reminded(hall, o.unknown("timeout"))
    phone = hall.app.config.directory.person("zhangsan").phone
    take(hall, Report("group-9", delivered=False, code="MK:0001", phone=phone))
    hall.until("2026-11-24 09:10")
    assert states(hall) == [("sms", "zhangsan", "failed"), ("wecom", "zhangsan", "accepted")]


def test_a_receipt_faster_than_our_own_record_is_not_lost(hall):
    sms = Provider("yunmas")
    sms.script = [lambda: (take(hall, OK), o.accepted("p1"))[1]]
    hall.app.channels = Providers(sms=sms, wecom=Provider())
    hall.until("2026-11-24 08:40")
    assert states(hall) == [("sms", "zhangsan", "delivered")]


def test_a_receipt_faster_than_the_time_out_clears_it_up(hall):
    early = Report("p1", delivered=True, code="DELIVERED", message_id="d1")
    reminded(hall, lambda: (take(hall, early), o.unknown("timeout"))[1])
    assert states(hall) == [("sms", "zhangsan", "delivered")]


def test_a_receipt_calls_off_the_repeat_of_an_unclear_escalation(hall):
    sms, _ = reminded(hall)
    hall.until("2026-11-27 12:00")
    sms.script = [o.unknown("timeout")]
    hall.sleep_until("2026-11-30 08:30")
    hall.tick()
    assert len(sms.asked) == 2
    take(hall, Report("p7", delivered=True, code="DELIVERED", message_id="d2"))
    hall.until("2026-11-30 12:00")
    assert len(sms.asked) == 2
    assert states(hall, step="breach+3wd") == [("sms", "wangwu", "delivered")]


def test_a_receipt_of_nobody_is_kept_and_changes_nothing(hall):
    reminded(hall)
    assert take(hall, replace(OK, provider_id="somebody-elses")) == 1
    assert states(hall) == [("sms", "zhangsan", "accepted")]


def test_the_token_belongs_to_one_channel(hall):
    token = receipts.token(hall.app, "sms", now=hall.now)
    assert receipts.verified(hall.app, "sms", token, now=hall.now)
    assert not receipts.verified(hall.app, "wecom", token, now=hall.now)
    assert not receipts.verified(hall.app, "sms", "错", now=hall.now)


YUNMAS = {"reportStatus": "CM:0000", "mobile": "13800000001", "errorCode": "DELIVRD", "msgGroup": "G1"}
ALIYUN = [
    {"phone_number": "13800000001", "success": True, "biz_id": "B1", "out_id": "d1", "err_code": "DELIVERED"},
    {"phone_number": "13800000001", "success": False, "biz_id": "B2", "err_code": "MK:0008", "err_msg": "黑名单"},
]
TENCENT = [{"mobile": "13800000001", "report_status": "FAIL", "errmsg": "MK:0001", "sid": "S1", "nationcode": "86"}]


def test_each_gateways_form_is_read():
    assert read("yunmas", json.dumps(YUNMAS).encode()) == [
        Report("G1", True, "CM:0000", "DELIVRD", phone="13800000001")
    ]
    good, bad = read("alisms", json.dumps(ALIYUN).encode())
    assert (good.delivered, good.provider_id, good.message_id) == (True, "B1", "d1")
    assert (bad.delivered, bad.code, bad.text) == (False, "MK:0008", "黑名单")
    (failed,) = read("tencentsms", json.dumps(TENCENT).encode())
    assert (failed.delivered, failed.provider_id, failed.code) == (False, "S1", "MK:0001")


@pytest.mark.parametrize(
    "body", [b"", b"nonsense", b"[]", b"[1]", b"null", b"[" * 5000, json.dumps([YUNMAS] * 1001).encode()]
)
def test_rubbish_is_refused_in_words(body):
    with pytest.raises(ReceiptError):
        read("yunmas", body)


def test_numbers_are_not_kept(hall):
    reminded(hall)
    phone = hall.app.config.directory.person("zhangsan").phone
    (report,) = read("yunmas", json.dumps({**YUNMAS, "mobile": phone, "errorCode": f"UNDELIV {phone}"}).encode())
    take(hall, report)
    assert phone not in json.dumps(hall.rows(tables.receipts), default=str)
