"""Texts: what is changed is what the kind says, and Persian stays Persian."""

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.augmentation.texts import MASK, NEIGHBOURS, TEXT_KINDS, augment_text

PERSIAN = "من می‌خواهم کتاب‌های کهنه را بخوانم، و تو نمی‌دانی"
JOINER = "‌"
TABLE = {"old": ["ancient"], "کهنه": ["قدیمی"]}


def changed(text: str, name: str, share: float, seed: int = 0) -> str:
    return augment_text(text, TEXT_KINDS[name], share, Random(seed), TABLE)


@given(text=st.text(), seed=st.integers(0, 10), name=st.sampled_from(sorted(TEXT_KINDS)))
def test_nothing_changes_where_nothing_is_to_and_the_seed_decides_the_rest(text: str, seed: int, name: str) -> None:
    assert changed(text, name, 0.0, seed) == text
    assert changed(text, name, 0.5, seed) == changed(text, name, 0.5, seed)


@given(st.lists(st.sampled_from(["one", "two", "three", "می‌خواهم"]), min_size=1, max_size=12), st.integers(0, 99))
def test_each_kind_keeps_its_word(words: list[str], seed: int) -> None:
    text = " ".join(words)
    assert sorted(changed(text, "swap", 0.5, seed).split(" ")) == sorted(words)
    kept = changed(text, "delete", 0.9, seed).split(" ")
    rest = iter(words)
    assert kept and all(word in rest for word in kept)
    repeated = changed(text, "repeat", 1.0, seed).split(" ")
    assert repeated == [word for word in words for _ in range(2)]
    masked = changed(text, "masking", 0.5, seed).split(" ")
    assert all(found in (word, MASK) for found, word in zip(masked, words, strict=True))
    assert set(changed(text, "insert", 1.0, seed).split(" ")) == set(words)


def test_white_space_stays_as_it_was() -> None:
    text = " two  words\n\tand\u3000more "
    for name in ("swap", "masking", "typing-errors", "synonyms"):
        assert re.findall(r"\s+", changed(text, name, 0.5)) == re.findall(r"\s+", text)


def test_typing_errors_hit_neighbouring_keys_of_the_same_keyboard() -> None:
    text = "The Quick fox می‌خواهم"
    found = changed(text, "typing-errors", 1.0)
    assert len(found) == len(text) and found != text
    for before, after in zip(text, found, strict=True):
        if before.lower() in NEIGHBOURS:
            assert after.lower() in NEIGHBOURS[before.lower()] and after.isupper() == before.isupper()
        else:
            assert after == before
    assert found.count(JOINER) == 1
    assert set(NEIGHBOURS["g"]) == set("fhtyvb") and "ب" in NEIGHBOURS["ل"] and "a" not in NEIGHBOURS["ش"]


@pytest.mark.parametrize(("seed", "name"), [(seed, name) for seed in range(5) for name in TEXT_KINDS])
def test_persian_words_stay_whole(seed: int, name: str) -> None:
    """Joiners stay between letters: none at the edge of a word, none alone."""
    found = changed(PERSIAN, name, 0.4, seed)
    for word in found.split():
        assert not word.startswith(JOINER) and not word.endswith(JOINER)
    if name in ("swap", "typing-errors", "synonyms"):
        assert found.count(JOINER) == PERSIAN.count(JOINER)


def test_synonyms_come_from_the_table_and_keep_punctuation_and_capitals() -> None:
    assert changed("(Old) and old, unknown.", "synonyms", 1.0) == "(Ancient) and ancient, unknown."
    assert "قدیمی" in changed(PERSIAN, "synonyms", 1.0)


def test_a_text_is_never_lost_whole() -> None:
    assert changed("one two three", "delete", 1.0) in {"one", "two", "three"}
