"""Amounts: exact, or refused with what to correct."""

from __future__ import annotations

import pytest

from client.rolls.yuan import format_yuan, parse_yuan


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1", 100),
        ("0.01", 1),
        ("0.1", 10),
        ("0.10", 10),
        ("1234.5", 123450),
        ("90071992547409.91", 2**53 - 1),
        ("1.10", 110),  # 1.10 * 100 is 110.00000000000001 in floats
        ("4.35", 435),
        ("1000000.29", 100000029),
    ],
)
def test_amounts_are_exact(text: str, fen: int) -> None:
    assert parse_yuan(text) == fen


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("-1", "negative"),
        ("-0.01", "negative"),
        ("0", "more than zero"),
        ("0.00", "more than zero"),
        ("1.005", "more than two decimals"),
        ("1.000", "more than two decimals"),
        ("+5", "sign"),
        ("1,234.50", "no amount"),
        ("1 234", "no amount"),
        ("1e3", "no amount"),
        ("1.", "no amount"),
        (".5", "no amount"),
        ("007", "leading zeros"),
        ("NaN", "no amount"),
        ("12元", "no amount"),
        ("\uff11\uff12", "no amount"),  # full-width digits
        ("\u0661", "no amount"),  # Arabic-Indic digit one
        ("0x10", "no amount"),
        ("90071992547409.92", "90 trillion"),
        ("9" * 200, "15 digits"),
    ],
)
def test_what_is_no_claim_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_yuan(text)


def test_fen_are_shown_as_yuan() -> None:
    assert [format_yuan(fen) for fen in (1, 10, 100, 123456)] == ["0.01", "0.10", "1.00", "1234.56"]
