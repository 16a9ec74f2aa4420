"""Lengths as the providers count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sla_service.delivery.text import (
    byte_length,
    mask_phones,
    shorten_bytes,
    sms_parts,
    sms_value,
    split_bytes,
    utf8,
)

# All planes, line breaks, accents, joined emoji, and halves of surrogate pairs.
TEXT = st.text(
    alphabet=st.one_of(st.characters(), st.sampled_from("市政务\n 。，ée\u0301👩\u200d💻👍🏽ab")), max_size=300
)
LIMIT = st.integers(min_value=4, max_value=120)


@given(TEXT, LIMIT)
def test_pieces_put_together_are_the_text_and_none_is_too_long(text: str, limit: int) -> None:
    pieces = split_bytes(text, limit)
    assert "".join(pieces) == text
    assert all(0 < byte_length(piece) <= limit for piece in pieces)


@given(TEXT, LIMIT)
def test_a_piece_never_ends_inside_a_character(text: str, limit: int) -> None:
    for piece in split_bytes(text, limit):
        assert utf8(piece).decode("utf-8") == piece.encode("utf-8", "replace").decode()


@given(TEXT, st.integers(min_value=0, max_value=120))
def test_a_shortened_text_fits_and_begins_like_the_text(text: str, limit: int) -> None:
    short = shorten_bytes(text, limit)
    assert byte_length(short) <= limit
    if byte_length(text) <= limit:
        assert short == text
    else:
        assert text.startswith(short.removesuffix("…"))


@given(TEXT, st.integers(min_value=1, max_value=80))
def test_an_sms_value_is_one_line_without_signature_brackets(text: str, limit: int) -> None:
    value = sms_value(text, limit)
    assert len(value) <= limit
    assert not set(value) & set("【】\n\r\t")


def test_text_is_cut_at_a_line_break_rather_than_in_a_line() -> None:
    lines = [f"{n} 个体工商户登记，明天到期\n" for n in range(5)]
    assert split_bytes("".join(lines), byte_length(lines[0]) * 2 + 5) == (
        lines[0] + lines[1],
        lines[2] + lines[3],
        lines[4],
    )


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("", 10, ()),
        ("政务大厅", 12, ("政务大厅",)),
        ("政务大厅", 11, ("政务大", "厅")),  # three bytes each
        ("ab政", 4, ("ab", "政")),
        ("a\u0301b", 4, ("a\u0301b",)),
        ("xya\u0301", 4, ("xy", "a\u0301")),  # the accent stays with its letter
        ("👍🏽👍", 8, ("👍🏽", "👍")),  # the tone stays with its hand
        ("👩\u200d💻", 4, ("👩", "\u200d", "💻")),  # where nothing fits whole, progress counts
    ],
)
def test_where_a_text_is_cut(text: str, limit: int, pieces: tuple[str, ...]) -> None:
    assert split_bytes(text, limit) == pieces


def test_a_piece_too_small_for_a_character_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one character"):
        split_bytes("政务", 3)


@pytest.mark.parametrize(
    ("length", "signature", "parts"),
    [
        (0, "政务大厅", 0),
        (1, "", 1),
        (70, "", 1),
        (71, "", 2),
        (64, "政务大厅", 1),  # six more with 【】
        (65, "政务大厅", 2),
        (134, "", 2),  # 2 × 67
        (135, "", 3),
    ],
)
def test_parts_of_an_sms_include_the_signature(length: int, signature: str, parts: int) -> None:
    assert sms_parts("字" * length, signature) == parts


def test_an_emoji_counts_twice_in_an_sms_and_brackets_are_not_doubled() -> None:
    assert sms_parts("👍" * 35) == 1
    assert sms_parts("👍" * 36) == 2
    assert sms_parts("字" * 64, "【政务大厅】") == 1


def test_phone_numbers_are_masked_and_longer_numbers_are_not() -> None:
    assert (
        mask_phones("13800001234，+8613800001234；BIZ9138000012349") == "138****1234，+86138****1234；BIZ9138000012349"
    )
