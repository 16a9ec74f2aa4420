"""Signatures against vectors that are not ours: the providers' published examples, and one computed elsewhere."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

from sla_service.delivery.plugins import sms_aliyun, sms_tencent
from sla_service.delivery.plugins.sms_yunmas import NotifyYunMas, mac_of

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_aliyuns_published_example_of_signature_v3() -> None:
    # https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature, fixed parameters
    signed = sms_aliyun.authorization(
        "YourAccessKeyId",
        "YourAccessKeySecret",
        path="/",
        query="ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai",
        headers={
            "host": "ecs.cn-shanghai.aliyuncs.com",
            "x-acs-action": "RunInstances",
            "x-acs-content-sha256": EMPTY,
            "x-acs-date": "2023-10-26T10:22:32Z",
            "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
            "x-acs-version": "2014-05-26",
        },
    )
    assert signed == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,"
        "SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_tencents_published_example_of_signature_v3() -> None:
    # https://cloud.tencent.com/document/api/213/30654; the page shows the key as 32 asterisks, and signs with them
    signed = sms_tencent.authorization(
        "AKID" + "*" * 32,
        "*" * 32,
        path="/",
        body=b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}',
        now=datetime.fromtimestamp(1551113065, UTC),
        headers={
            "content-type": "application/json; charset=utf-8",
            "host": "cvm.tencentcloudapi.com",
            "x-tc-action": "DescribeInstances",
        },
        service="cvm",
    )
    assert signed == (
        f"TC3-HMAC-SHA256 Credential=AKID{'*' * 32}/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host;x-tc-action, "
        "Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )


def test_tencents_older_example_signs_two_headers() -> None:
    signed = sms_tencent.authorization(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        path="/",
        body=b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}',
        now=datetime.fromtimestamp(1551113065, UTC),
        headers={"content-type": "application/json; charset=utf-8", "host": "cvm.tencentcloudapi.com"},
        service="cvm",
    )
    assert signed.endswith("Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168")


def test_the_signing_day_is_that_of_utc() -> None:
    # Half past midnight in Shanghai is still yesterday to Tencent.
    shanghai = datetime.fromisoformat("2026-11-25T00:30:00+08:00")
    signed = sms_tencent.authorization("id", "key", path="/", body=b"", now=shanghai, headers={"host": "h"})
    assert "/2026-11-24/sms/tc3_request" in signed


def yunmas() -> NotifyYunMas:
    return NotifyYunMas(user="ap", password="sk", host="ec", sign="sign", schema="yunmas")


def test_yunmas_mac_of_free_text() -> None:
    assert mac_of("ec", "ap", "sk", "13800000000", "测试", "sign", "") == "6b8847f9aa1a6f8518d71052a4b1fd85"
    body = json.loads(base64.b64decode(yunmas().request_body("13800000000", template="", values=(), content="测试")))
    assert body["mac"] == "6b8847f9aa1a6f8518d71052a4b1fd85"
    assert "templateId" not in body


def test_yunmas_mac_of_a_template_is_over_the_parameters_as_they_are_written() -> None:
    raw = yunmas().request_body("13800000000", template="T1", values=("甲", "乙"), content="")
    body = json.loads(base64.b64decode(raw))
    assert body["params"] == '["甲", "乙"]'
    # md5 of: ec ap sk T1 13800000000 ["甲", "乙"] sign, put together; computed with md5sum
    assert body["mac"] == "a849f4cc0317bc4a0202673884af04f2"
