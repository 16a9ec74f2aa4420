"""A worker that died in mid-send, and nobody to look after it until the provider has forgotten."""

from __future__ import annotations

from datetime import timedelta

from builders import at

from sla_service.delivery.outcome import unknown
from sla_service.delivery.retry import Step, next_attempt

LOST = unknown("lease_expired", "发送途中进程中断")
SENT = at("2026-11-20 09:00")


def _after(wait: timedelta, more_channels: bool = False):
    given = {"kind": "escalation", "scheme": "wecomapp", "message_id": "d1", "more_channels": more_channels}
    return next_attempt(LOST, 1, now=SENT + wait, began=SENT, **given)


def test_noticed_in_time_the_same_bytes_go_out_again_before_the_provider_forgets():
    decision = _after(timedelta(minutes=2))
    assert decision.step is Step.AGAIN
    assert decision.not_after == SENT + timedelta(minutes=28)


def test_noticed_after_half_an_hour_it_is_parked_and_shown_and_not_doubled():
    assert _after(timedelta(minutes=29)).step is Step.PARKED
