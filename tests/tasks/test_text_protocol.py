"""The benchmark of lost words: what is held out, what is hidden, and what its figures say of known answers."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from benchmark import benchmark

from gannet.tasks._text.alternatives import Alternative, scaled
from gannet.tasks._text.damage import Hidden, Passage, hide_gaps, hide_share, passages, supplements
from gannet.tasks._text.gaps import LOST
from gannet.tasks._text.held_out import FILES, WHOLE, Library, learned_texts, make_split, read_split, write_split
from gannet.tasks._text.parallels import Corpus
from gannet.tasks._text.protocol import (
    Restored,
    calibration_error,
    calibration_of,
    character_accuracy,
    edit_distance,
    gap_figures,
    mean_over,
    parallels_found,
    restore_gaps,
    restore_passage,
)
from gannet.tasks._text.telling_apart import told_apart

REPEATED = "یک مصرع که دو بار آمده است در دو جا"
LETTERS = "ابپتثجچحخدذرزژسش"


def verse(poet: int, number: int) -> str:
    """A line of its own, long enough to be a verse."""
    return " ".join(LETTERS[(poet + number // 16**place + place) % 16] * 3 + LETTERS[number % 16] for place in range(6))


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """Forty lines of each file; a verse stands twice, and the inscriptions have gaps and supplements."""
    for poet, name in enumerate(FILES["persian"]):
        lines = [verse(poet, number) for number in range(40)]
        if poet == 0:
            lines[3] = lines[38] = REPEATED
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    plays = [f"KING:\nLine the {'i' * (1 + at)} of this play, of {at} words\n" for at in range(14)]
    (tmp_path / FILES["english"][0]).write_text("\n".join(plays))
    rows = [f"HD{at}\tDis Manibus / Gaio{'i' * at} [filio et]ern[o] / [3] vixit annos [...] menses" for at in range(30)]
    rows[7], rows[29] = "HD7\tfecit] sibi [et suis ------", "HD29\tDis [%&] Manibus"
    (tmp_path / FILES["latin"][0]).write_bytes(gzip.compress("\n".join(rows).encode()))
    return Library(tmp_path)


def test_a_poet_and_the_ends_of_files_are_held_out_without_repeated_verses(library: Library, tmp_path: Path) -> None:
    split = make_split(library)
    assert split[WHOLE].held_out == [(0, 40)] and not split[WHOLE].learned
    other = split[FILES["persian"][0]]
    assert other.learned == [(0, 3), (4, 34)] and other.tuned == [(34, 36)]
    assert other.held_out == [(36, 38), (39, 40)], "the verse that stands twice is in neither part"
    learned = "\n".join(learned_texts(library, split, "persian", "learned", "tuned"))
    held = "\n".join(learned_texts(library, split, "persian", "held_out"))
    assert REPEATED not in learned and REPEATED not in held
    assert not set(learned.split("\n")) & set(held.split("\n"))
    path = tmp_path / "split.json"
    write_split(path, split)
    assert read_split(path, library) == split and not any(letter in path.read_text("utf-8") for letter in LETTERS)


def test_a_split_of_other_files_is_refused(library: Library, tmp_path: Path) -> None:
    write_split(tmp_path / "split.json", make_split(library))
    (tmp_path / WHOLE).write_text("other")
    with pytest.raises(ValueError, match="divides another persian/roodaki"):
        read_split(tmp_path / "split.json", Library(tmp_path))
    (tmp_path / WHOLE).unlink()
    with pytest.raises(ValueError, match="has no persian/roodaki"):
        Library(tmp_path)


def test_speakers_that_stand_elsewhere_are_shown_and_never_hidden(library: Library) -> None:
    found = passages(library, make_split(library), "english", "held_out")
    assert "KING:" in found[0].text
    at = found[0].text.index("KING:")
    assert not any(found[0].may_hide[at : at + 5]) and any(found[0].may_hide)


def test_gaps_are_hidden_on_the_stone_alone(library: Library) -> None:
    found = passages(library, make_split(library), "latin", "learned")
    shown = {one.text for one in found}
    assert any("eterno\n" in text for text in shown), "supplements are shown"
    hidden = hide_gaps(found, 20, seed=0)
    assert [len(one.truth) for one in hidden] == [length for length in range(1, 11) for _ in range(20)]
    for one in hidden:
        text = found[one.passage].text
        assert f"{one.left}{one.truth}{one.right}" == text and "\n" not in one.truth
        places = range(len(one.left), len(one.left) + len(one.truth))
        assert all(found[one.passage].may_hide[at] for at in places)
        assert "filio et" not in one.truth and LOST not in one.truth
    assert hidden == hide_gaps(found, 20, seed=0) != hide_gaps(found, 20, seed=1)
    assert {one.truth for one in supplements(found, 1000, seed=0)} == {"filio et", "o"}


def test_unbalanced_brackets_of_inscriptions_are_closed_and_the_senseless_left_out(library: Library) -> None:
    lines = library.lines(FILES["latin"][0])
    assert lines[7] is not None and lines[7].read == "fecit sibi et suis \ufffc"
    assert lines[29] is None
    assert make_split(library)[FILES["latin"][0]].held_out == [(27, 29)]


PASSAGE = Passage("abc def\nghij kl\nmno", tuple(one != "\n" for one in "abc def\nghij kl\nmno"), (False,) * 19)


@pytest.mark.parametrize(
    ("kind", "units"),
    [
        ("characters", set("abcdefghijklmno ")),
        ("words", {"abc", "def", "ghij", "kl", "mno"}),
        ("half-verses", {"abc def", "ghij kl", "mno"}),
    ],
)
def test_whole_units_are_hidden_until_the_share_is_reached(kind: str, units: set[str]) -> None:
    for share in (0.05, 0.3, 0.6):
        damaged = hide_share(PASSAGE, kind, share, seed=3)
        gone = [at for at, one in enumerate(damaged) if one == LOST]
        assert len(gone) >= share * 17 and len(gone) - share * 17 < max(map(len, units))
        rest = [at for at in range(19) if at not in gone]
        assert all(damaged[at] == PASSAGE.text[at] for at in rest) and 7 in rest
        if kind == "words":
            pieces = "".join(one if at in gone or one in " \n" else "-" for at, one in enumerate(PASSAGE.text)).split()
            assert {one.strip("-") for one in pieces} - {""} <= units


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "abc", 0), ("flaw", "lawn", 2), ("ab", "ba", 2)],
)
def test_edit_distances_are_known(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == distance


class Knowing:
    """Gives the truth where it knows the context, at a rank and with a probability, and X otherwise."""

    def __init__(self, hidden: list[Hidden], rank: int, sure: float) -> None:
        self.truths = {(one.left, one.right): one.truth for one in hidden}
        self.rank, self.sure = rank, sure

    def fill(self, left: str, length: int | None, right: str, count: int, language: str) -> list[Alternative]:  # noqa: ARG002
        truth = self.truths[left, right]
        texts = ["X" * len(truth) + "Y" * at for at in range(self.rank)] + [truth.upper()]
        found = [Alternative(text, self.sure, (self.sure,) * len(text)) for text in texts]
        return found[:count]


def some_hidden(count: int) -> list[Hidden]:
    return [Hidden(f"left {at}", "right", "abcdefghij"[: 1 + at % 10], at // 3) for at in range(count)]


def test_who_knows_has_no_error_and_who_ranks_it_third_is_among_twenty() -> None:
    hidden = some_hidden(30)
    perfect = restore_gaps(Knowing(hidden, 0, 1.0), hidden, "latin", True)
    told = gap_figures(perfect)
    assert told["error rate"].value == told["bits a character"].value == 0
    assert told["top-1"].value == told["top-20"].value == told["top-1, 7"].value == 1
    assert calibration_of(perfect) == 0
    third = restore_gaps(Knowing(hidden, 2, 0.25), hidden, "latin", True)
    told = gap_figures(third)
    assert told["top-1"].value == 0 and told["top-20"].value == 1 and told["error rate"].value == 1
    assert told["bits a character, 2"].value == 1, "two bits of a quarter over two characters"
    assert calibration_of(third) == pytest.approx(0.25)
    assert gap_figures(restore_gaps(Knowing(hidden, 20, 0.25), hidden, "latin", True))["top-20"].value == 0


def test_a_longer_first_alternative_is_wrong_at_its_end() -> None:
    row = Restored(Hidden("", "", "abc", 0), (Alternative("abcd", 1.0, (1.0,) * 4),))
    assert row.right == [True, True, True, False] and row.error_rate == pytest.approx(1 / 3)


def test_calibration_errors_are_known() -> None:
    assert calibration_error([0.8] * 10, [True] * 8 + [False] * 2) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
    assert calibration_error([0.05, 0.95], [True, False]) == pytest.approx(0.95)


def test_intervals_hold_the_mean_and_go_by_passages() -> None:
    values = np.random.default_rng(0).random(400)
    alone = mean_over(values, range(400))
    assert alone.value == pytest.approx(values.mean()) and alone.low < alone.value < alone.high
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.15)
    together = mean_over(np.repeat(values[:40], 10), np.repeat(np.arange(40), 10))
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert mean_over([1.0, 0.0], [0, 1], [3, 1]).value == 0.75


class Echo:
    """Fills with the letters that lead to the gap, in turn."""

    def fill(self, left: str, length: int | None, right: str, count: int, language: str) -> list[Alternative]:  # noqa: ARG002
        assert length is not None
        return [Alternative((left[-1:] or "?") * length, 1.0, (1.0,) * length)]


class Reciting(Echo):
    """Knows the passage by heart."""

    def restore(self, text: str, language: str) -> str:  # noqa: ARG002
        return PASSAGE.text


def test_passages_are_restored_from_the_left_or_in_the_restorers_order() -> None:
    assert restore_passage(Echo(), f"a{LOST * 2}b{LOST}\n{LOST}", "latin") == "aaabb\n\n"
    assert restore_passage(Echo(), f"{LOST}a", "latin") == "?a"
    assert restore_passage(Reciting(), LOST, "latin") == PASSAGE.text
    assert character_accuracy(Reciting(), [PASSAGE] * 3, "latin", "words", 0.3).value == 1
    assert character_accuracy(Echo(), [PASSAGE] * 3, "latin", "characters", 0.3).value < 0.3


def test_parallels_of_lines_of_the_corpus_are_found() -> None:
    lines = [verse(poet, number) for poet in range(3) for number in range(16)]
    assert parallels_found(Corpus(lines), 20, seed=0).value == 1


def test_lines_are_told_apart_where_they_differ_and_not_where_they_are_drawn_alike() -> None:
    random = np.random.default_rng(0)
    drawn = ["".join(random.choice(list(LETTERS), 40)) for _ in range(400)]
    assert told_apart(drawn[:200], drawn[200:]).value == pytest.approx(0.5, abs=0.1)
    assert told_apart(drawn[:40], [f"{line[:-8]}zzzzzzzz" for line in drawn[:40]]).value > 0.95
    assert told_apart(drawn[:40], drawn[:40]).value == pytest.approx(0.5, abs=0.01)


def test_confidences_that_are_scaled_as_fitted_are_as_high_as_they_are_often_right() -> None:
    random = np.random.default_rng(0)
    true = random.uniform(0.02, 0.98, 20_000)
    right = random.random(len(true)) < true
    told = 1 / (1 + np.exp(-(2 * np.log(true / (1 - true)) - 0.5)))
    module = benchmark("lost_words")
    text = "".join("a" if one else "b" for one in right)
    hidden = Hidden("", "", "a" * len(text), 0)
    slope, shift = module.fitted_scaling([Restored(hidden, (Alternative(text, 1.0, tuple(told.tolist())),))])
    assert (slope, shift) == pytest.approx((0.5, 0.25), abs=0.05)
    mended = scaled(told.tolist(), slope, shift)
    assert calibration_error(mended, right.tolist()) < 0.02 < calibration_error(told.tolist(), right.tolist())
    assert scaled((0.0, 0.3, 1.0), 1.0, 0.0) == (0.0, 0.3, 1.0)
    assert np.all(np.diff(scaled((0.0, 0.2, 0.9, 1.0), 0.7, -0.3)) > 0)
