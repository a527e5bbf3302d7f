"""What is restored is spelled as the text around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.tasks._text.normalization import normalized
from gannet.tasks._text.spelling import spelling_of

RESTORED = "\u06a9\u06cc 12"


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("\u06cc\u06a9", RESTORED),
        ("\u064a\u0643", "\u0643\u064a 12"),
        ("\u064a", "\u0643\u064a 12"),
        ("\u064a \u06a9", "\u06a9\u064a 12"),
        ("\u064a\u06cc\u06cc", RESTORED),
        ("\u06f5", "\u06a9\u06cc \u06f1\u06f2"),
        ("\u0663 1 \u0664", "\u06a9\u06cc \u0661\u0662"),
        ("arma 7", RESTORED),
        ("", RESTORED),
    ],
)
def test_letters_and_digits_are_those_of_the_text(written: str, spelled: str) -> None:
    assert RESTORED.translate(spelling_of([written])) == spelled


@given(st.text("\u06cc\u06a9\u064a\u0643 ab09\u06f0\u0669", max_size=30))
def test_what_is_spelled_anew_reads_as_before(written: str) -> None:
    assert normalized(RESTORED.translate(spelling_of([written]))) == RESTORED
