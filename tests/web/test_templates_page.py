"""``/templates``: every kind of message in its words."""

from __future__ import annotations

from test_pages import page


def test_a_message_is_shown_with_its_length_on_each_channel(lite):
    text = page(lite, "/templates?step=breach")
    assert "【超期】BBC-2026-0001" in text
    assert text.count("228 字节，按短信发是 2 条") == 2
    assert "超期督办" in text


def test_several_a_digest_and_english_are_a_click_away(lite):
    assert "【办件提醒】3 件超期" in page(lite, "/templates?step=breach&many=true")
    assert "【每周联合督办】" in page(lite, "/templates?digest=committee")
    assert "[Overdue] BBC-2026-0001" in page(lite, "/templates?step=breach&lang=en")


def test_a_step_that_is_not_there_is_refused_in_a_sentence(lite):
    assert "没有步骤" in page(lite, "/templates?step=%3Cb%3E", 422)
