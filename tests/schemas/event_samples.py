"""Sample events for the tests of the border."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.event_envelope import EXAMPLE
from schemas.events import InvalidEvent, parse

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # 10:30 in Beijing

# The smallest data of each type, and everything the contract lists for it.
FULL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "case.accepted": (
        {},
        {
            "kind": "special",
            "title": "诊所名称核准",
            "matter": "个体工商户登记",
            "department": "社会事务科",
            "handler": "zhangsan",
            "applicant": {"name": "赵六", "phone": "13800000000"},
            "wanted_by": "2026-12-01",
            "labels": ["窗口", "二次来访"],
            "limit_days": 15,
            "reason": "涉及三个部门",
            "applicant_informed_at": "2026-11-20T10:00:00+08:00",
        },
    ),
    "case.classified": (
        {"kind": "complex"},
        {"kind": "special", "limit_days": 15, "reason": "多部门", "applicant_informed_at": "2026-11-20"},
    ),
    "case.assigned": ({"handler": "lisi"}, {"department": "社会事务科", "handler": "lisi"}),
    "case.signed": ({}, {"handler": "lisi"}),
    "case.extended": (
        {"limit_days": 12},
        {
            "limit_days": 15,
            "until": "2026-12-11",
            "reason": "等检测结果",
            "applicant_informed_at": "2026-11-21T09:00:00Z",
            "approved_by": "王五",
        },
    ),
    "case.escalated": ({"to": "bureau_leader"}, {"to": "joint_committee", "by": "lisi", "reason": "多部门"}),
    "case.paused": (
        {"reason": "hearing"},
        {
            "reason": "expert_review",
            "expected_until": "2026-12-01T17:30:00+08:00",
            "applicant_informed_at": "2026-11-20",
            "notice_no": "〔2026〕3号",
            "note": "等专家",
        },
    ),
    "case.resumed": ({}, {}),
    "case.reset": ({"reason": "材料补齐"}, {"reason": "材料补齐"}),
    "case.urged": ({}, {"by": "wangwu", "text": "请抓紧"}),
    "case.progressed": ({}, {"text": "已联系住建局"}),
    "case.closed": (
        {"outcome": "resolved"},
        {"outcome": "explained", "replied_at": "2026-11-20T10:20:00+08:00", "note": "已当面说明"},
    ),
    "case.replied": ({}, {"replied_at": "2026-11-20"}),
    "case.reopened": ({"reason": "来访"}, {"reason": "来访"}),
    "case.followed_up": ({}, {"satisfied": False, "note": "仍未办成"}),
    "case.merged": ({"into": "BBC-2026-0002"}, {"into": "〔2026〕3号"}),
    "event.voided": ({"event_id": "e-1"}, {"event_id": "e-1", "reason": "误录"}),
    "visit.answered": ({}, {"matter": "社保查询", "count": 3}),
}


def event(type_: str = "case.accepted", data: object = None, **over: object) -> dict[str, Any]:
    raw = {**copy.deepcopy(EXAMPLE), "type": type_, "data": data if data is not None else {}}
    return {k: v for k, v in {**raw, **over}.items() if v is not ...}


def problem(raw: object) -> tuple[str, str]:
    with pytest.raises(InvalidEvent) as refused:
        parse(raw, now=NOW)
    assert str(refused.value) == refused.value.problem
    return refused.value.field, refused.value.problem
