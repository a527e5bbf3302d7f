"""The n-gram: its probabilities by formula, and what its search finds."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.tasks._text.gaps import LOST, LOST_SOME
from gannet.tasks._text.ngram import Ngram, Settings, ranked
from gannet.tasks._text.ngram_counts import Discounting, Interpolated, count_orders

TEXTS = ["abracadabra\ncabbage", "barbarabad\nabba"]
WHOLE = [f"\n{text}\n" for text in TEXTS]


def grams(length: int, texts: list[str]) -> Counter[str]:
    return Counter(text[at : at + length] for text in texts for at in range(len(text) - length + 1))


def by_formula(history: str, character: str, order: int, discounting: Discounting, texts: list[str]) -> float:
    """Interpolation as it is written in papers, with dictionaries."""
    size = len(set("".join(texts)))
    if order == 0:
        return 1 / size
    short = history[len(history) - order + 1 :] if order > 1 else ""
    lower = by_formula(history, character, order - 1, discounting, texts)
    counts = grams(order, texts)
    seen = {gram: count for gram, count in counts.items() if gram[:-1] == short}
    if len(short) < order - 1 or not seen:
        return lower
    total, types = sum(seen.values()), len(seen)
    if discounting == "witten-bell":
        return (seen.get(short + character, 0) + types * lower) / (total + types)
    of_counts = Counter(counts.values())
    discount = of_counts[1] / (of_counts[1] + 2 * of_counts[2]) if of_counts[1] else 0.5
    return (max(0, seen.get(short + character, 0) - discount) + discount * types * lower) / total


@pytest.mark.parametrize("discounting", ["witten-bell", "absolute"])
@pytest.mark.parametrize("history", ["abra", "\nba", "zzza", "b", ""])
def test_probabilities_are_those_of_the_formula(history: str, discounting: Discounting) -> None:
    model = Ngram(TEXTS, Settings(order=4, discounting=discounting))
    number = {one: at for at, one in enumerate(model.alphabet)}
    for way, texts, near in (
        (model.forward, WHOLE, history),
        (model.backward, [text[::-1] for text in WHOLE], history[::-1]),
    ):
        packed = 0
        for one in near:
            packed = (packed << 8) | number.get(one, 0)
        row = way.rows(np.array([packed], np.uint64))[0]
        wanted = [by_formula(near, one, 4, discounting, texts) for one in model.alphabet[1:]]
        np.testing.assert_allclose(row[1:], wanted, rtol=1e-6)
        each = way.of(np.full(len(wanted), packed, np.uint64), np.arange(1, len(row), dtype=np.uint64))
        np.testing.assert_allclose(each, wanted, rtol=1e-6)
        assert row[0] == 0 and row.sum() == pytest.approx(1)


def test_a_character_is_told_from_both_sides() -> None:
    model = Ngram(["xaby", "xaby", "xcdy", "zaby"], Settings(order=3))
    logs = dict(zip(model.alphabet, model.log_probabilities("x", "by"), strict=True))
    assert sum(map(math.exp, logs.values())) == pytest.approx(1)
    assert max(logs, key=lambda one: logs[one]) == "a"
    other = dict(zip(model.alphabet, model.log_probabilities("x", "dy"), strict=True))
    assert max(other, key=lambda one: other[one]) == "c"


def test_nothing_is_learned_or_read_across_what_is_lost() -> None:
    model = Ngram([f"ab{LOST}cd", f"ab{LOST_SOME}cd"], Settings(order=8))
    assert LOST not in model.alphabet and LOST_SOME not in model.alphabet
    bare = model.log_probabilities("", "")
    np.testing.assert_array_equal(model.log_probabilities(f"ab{LOST}", f"{LOST_SOME}cd"), bare)
    assert not np.array_equal(model.log_probabilities("ab", ""), bare)


def test_a_wide_search_finds_the_best_filling_of_all() -> None:
    model = Ngram(TEXTS, Settings(order=5, beam=400, scored=10_000))
    letters = list(model.alphabet[2:])
    found = model.fill("abra", 3, "abra", 10_000)
    assert len(found) == len(letters) ** 3
    assert {one.text for one in found} == {"".join(one) for one in product(letters, repeat=3)}
    assert found[0].text == "cad"
    assert sum(one.probability for one in found) == pytest.approx(1)
    narrow = model.with_settings(Settings(order=5, beam=8, scored=30)).fill("abra", 3, "abra", 5)
    assert [one.text for one in narrow] == [one.text for one in found[:5]]


def test_a_gap_of_unknown_length_is_filled_as_long_as_it_was() -> None:
    model = Ngram(["in principio erat verbum"] * 5 + ["et verbum erat apud deum"] * 5, Settings(order=6))
    best = model.fill("in princi", None, "verbum", 3)[0]
    assert best.text == "pio erat " and len(best.confidences) == len(best.text)
    assert all("\n" not in one.text for one in model.fill("verbum", None, "\n", 50)), "a filling holds no line end"


def test_alternatives_are_ranked_and_confidences_are_their_shares() -> None:
    found = ranked([("ab", math.log(0.5)), ("ac", math.log(0.3)), ("b", math.log(0.2))], Settings(sharpness=2.0), 2)
    assert [one.text for one in found] == ["ab", "ac"]
    assert [one.probability for one in found] == pytest.approx([0.5, 0.3])
    assert found[0].confidences == pytest.approx((0.8, 0.5))
    sharp = ranked([("ab", math.log(0.5)), ("ac", math.log(0.3))], Settings(sharpness=2.0, fading=0.0), 1)[0]
    assert sharp.probability == pytest.approx(0.25 / 0.34)


def test_characters_beyond_the_alphabet_of_a_byte_are_unknown() -> None:
    rare = "".join(chr(0x4E00 + at) for at in range(400))
    model = Ngram([rare, "abc" * 100])
    assert len(model.alphabet) == 256
    assert model.fill("ab", 1, "ab" + rare[-1], 1)[0].text == "c"


@given(st.lists(st.lists(st.integers(1, 3), min_size=2, max_size=8), min_size=1, max_size=4))
def test_leaving_one_out_is_counting_a_text_without_its_last_character(texts: list[list[int]]) -> None:
    def counted(parts: list[list[int]]) -> Interpolated:
        sequence = np.array([one for part in parts for one in (*part, 0)], np.uint8)
        return Interpolated(count_orders(sequence, 3), 4, "witten-bell")

    *history, last = texts[-1]
    packed = np.array([int.from_bytes(bytes(history[-2:]))], np.uint64)
    found = counted(texts).rows_without(packed, np.array([last], np.uint64))
    assert found == pytest.approx(counted([*texts[:-1], history]).rows(packed))


def test_what_a_search_finds_has_the_scores_that_it_has_by_itself() -> None:
    model = Ngram(TEXTS, Settings(order=4))
    (found,) = model.search("bar", range(2, 3), "ra")
    texts, scores = zip(*found, strict=True)
    assert model.scores(texts, "bar", "ra") == pytest.approx(scores) and len(model.scores([], "bar", "ra")) == 0
