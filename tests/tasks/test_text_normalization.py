"""One spelling to learn and score, and the one that was written to come out."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.tasks._text.normalization import folded, normalize, normalized

LETTERS = "aéßςΣ كکيیىةهۀآأؤئٱ\u0654\u0653\u064b\u0640\u200c\u200d\u200f۱٢3\u0301\u0323\u00ad\n\r\t ـ한ᄒ"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("كتاب يك", "کتاب یک"),
        ("مُحَمَّد", "محمد"),
        ("خـــانه", "خانه"),
        ("دل\u200cها", "دل ها"),
        ("می \u200cکند", "می کند"),
        ("خانۀ مسئول", "خانه مسیول"),
        ("خانهٔ أحمد", "خانه احمد"),
        ("قرآن", "قرآن"),
        ("قرا\u0653ن", "قرآن"),
        ("۱۲٣ १२", "123 12"),
        ("cafe\u0301", "café"),
        ("\ufeffA\u00adb\u200f", "Ab"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("Arma\u00a0 virumque", "Arma virumque"),
    ],
)
def test_spellings_become_one(written: str, read: str) -> None:
    assert normalized(written) == read


@given(st.text(st.sampled_from(LETTERS)))
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalized(text)
    assert normalized(once) == once == unicodedata.normalize("NFC", once)


@given(st.text(st.sampled_from(LETTERS)))
def test_each_character_knows_where_it_was_written(text: str) -> None:
    told = normalize(text)
    assert told.text == normalized(text)
    assert "".join(told.as_written(at, at + 1) for at in range(len(told.text))) == (text if told.text else "")
    assert list(told.starts) == sorted(told.starts) and told.starts[-1] == len(text)


def test_joiners_and_marks_stay_with_their_letters() -> None:
    told = normalize("كِتاب\u200cها")
    assert told.text == "کتاب ها"
    assert told.as_written(0, 1) == "كِ" and told.as_written(4, 7) == "\u200cها"


def test_scoring_knows_no_case_and_keeps_places() -> None:
    assert folded("Imperator Λόγος") == folded("IMPERATOR λόγοσ")
    assert len(folded("Straße İzmir ŉ")) == len("Straße İzmir ŉ")


@given(st.text())
def test_folded_texts_are_as_long_and_stay_so(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)
