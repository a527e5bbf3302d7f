"""Text restoration: signs, damage, the game's losses, filling by a beam, and what a model says of what it made."""

import json
from collections.abc import Callable, Sequence
from itertools import product
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from contracts import untrained
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import gannet
from gannet.augmentation.draws import Drawn
from gannet.data.sources import open_source
from gannet.media.text import Options, code_points, parted
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE
from gannet.runtime.progress import Stopped
from gannet.schema import Choice
from gannet.tasks import text_restoration
from gannet.tasks._text.alternatives import Alternative
from gannet.tasks._text.gaps import LOST, read_gaps
from gannet.tasks._text.ngram import Ngram
from gannet.tasks._text.normalization import normalized
from gannet.tasks.text_restoration import filling, reading
from gannet.tasks.text_restoration.alphabet import (
    FIRST,
    GAP,
    HIDDEN,
    LINE,
    PADDING,
    UNKNOWN,
    Alphabet,
    common_characters,
)
from gannet.tasks.text_restoration.corpora import Corpora, lines_of
from gannet.tasks.text_restoration.damage import NOTHING, Damage, Damaged, runs
from gannet.tasks.text_restoration.evaluation import Hole, figures
from gannet.tasks.text_restoration.evidence import Evidence, histories
from gannet.tasks.text_restoration.filling import Filler, shown_gaps
from gannet.tasks.text_restoration.game import likelihood, mean_entropy, sampled
from gannet.tasks.text_restoration.pipeline import BLOCK, TextRestorationPipeline
from gannet.tasks.text_restoration.proposals import SHARPNESS, TRUST, Proposals, likeliest
from gannet.tasks.text_restoration.reading import read_marks
from gannet.tasks.text_restoration.restoration import CHANCE, Filled, Restoration, footnotes, in_words, places_of
from gannet.tasks.text_restoration.scripts import script_around, used_scripts
from gannet.tasks.text_restoration.windows import Place, Window, windows_of

ALPHABET = Alphabet(" abcی")
LETTERS = st.lists(st.integers(LINE, FIRST + 4), min_size=8, max_size=60)


def test_the_commonest_characters_come_first_behind_the_space_and_variants_are_one() -> None:
    assert common_characters(["يی ي", "aab\n\ufffd"], 3) == " یa"
    assert common_characters(["ab"], 1) == "a"


@given(st.text("abc ی\n", max_size=40))
def test_signs_tell_a_text_whose_characters_are_known(value: str) -> None:
    assert ALPHABET.text(ALPHABET.signs(value)) == value


@given(st.text("abcx ييـ\u064e۵\n", min_size=1, max_size=20))
def test_numbers_of_characters_are_read_as_their_normal_spelling_is(value: str) -> None:
    row = torch.zeros(1, 24, dtype=torch.long)
    row[0, : len(value)] = torch.from_numpy(code_points(value).astype(np.int64))
    single = "".join(normalized(one) for one in value)  # Spaces in a row stay several: windows are cut anywhere.
    assert ALPHABET.read(row)[0].tolist() == [*ALPHABET.signs(single), *[PADDING] * (24 - len(single))]


def test_what_the_alphabet_lacks_is_one_sign_wherever_it_lies() -> None:
    assert ALPHABET.read(torch.tensor([[ord("x"), 0x1F600, ord("a")]])).tolist() == [[UNKNOWN, UNKNOWN, FIRST + 1]]


@settings(max_examples=60)
@given(LETTERS, st.integers(0, 2**31))
def test_damage_hides_letters_alone_and_knows_what_they_were(letters: list[int], seed: int) -> None:
    row = np.array([*letters, PADDING, HIDDEN, GAP, UNKNOWN])
    shown, wanted, lengths = Damage(4, contracted=0.0).damaged(row, np.random.default_rng(seed))
    told = np.where(wanted == NOTHING, shown, wanted)
    assert (told == row).all() and (lengths == NOTHING).all()
    assert (row[shown != row] >= FIRST).all()


@settings(max_examples=60)
@given(LETTERS, st.integers(0, 2**31))
def test_gaps_of_unknown_length_stand_for_as_many_signs_as_their_lengths_say(letters: list[int], seed: int) -> None:
    row = np.array(letters)
    shown, wanted, lengths = Damage(4, contracted=1.0, replaced=0.0).damaged(row, np.random.default_rng(seed))
    gaps = shown == GAP
    assert (lengths[gaps] >= 0).all() and (lengths[gaps] < 4).all() and (wanted[gaps] == NOTHING).all()
    assert (lengths[~gaps] == NOTHING).all()
    assert (shown != PADDING).sum() + lengths[gaps].sum() == len(row)


def test_damage_is_drawn_for_each_text_by_itself() -> None:
    texts = torch.randint(FIRST, FIRST + 4, (6, 40), generator=torch.Generator().manual_seed(0))

    def damaged() -> Any:
        return Damage(4)(texts, Drawn(6, torch.Generator().manual_seed(1)))

    assert all(torch.equal(one, other) for one, other in zip(damaged(), damaged(), strict=True))
    assert len({tuple(row) for row in (damaged().shown == HIDDEN).tolist()}) == 6


def test_runs_of_a_mask() -> None:
    assert runs(np.array([1, 1, 0, 0, 1, 0, 1], bool)) == [(0, 2), (4, 5), (6, 7)]


def test_the_likelihood_of_what_nobody_knows_is_that_of_chance() -> None:
    logits, wanted = torch.zeros(2, 3, 8), torch.tensor([[5, NOTHING, 6], [NOTHING, NOTHING, 7]])
    assert float(mean_entropy(logits, wanted)) == pytest.approx(log(8))
    assert float(mean_entropy(logits, torch.full((2, 3), NOTHING))) == 0
    damaged = Damaged(wanted, wanted, torch.where(wanted == NOTHING, NOTHING, wanted - 5))
    losses = likelihood(logits, torch.zeros(2, 3, 4), damaged, 0.5)
    assert float(losses["length"]) == pytest.approx(0.5 * log(4))


def test_samples_are_signs_of_the_alphabet_as_often_as_they_are_likely() -> None:
    logits = torch.tensor([9.0, 9, 9, 9, 9, log(3), 0.0]).repeat(1, 4000, 1).requires_grad_()
    drawn = sampled(logits, torch.rand(logits.shape, generator=torch.Generator().manual_seed(0)), 1.0)
    told = drawn.detach()
    assert torch.equal(told.round().sum(-1), torch.ones(1, 4000)) and float(told[..., :FIRST].sum()) == 0
    assert float(told[..., FIRST].mean()) == pytest.approx(0.75, abs=0.03)
    drawn[..., FIRST].sum().backward()
    assert logits.grad is not None and logits.grad[..., FIRST].sum() > 0 > logits.grad[..., FIRST + 1].sum()


class Chain(nn.Module):
    """Tells a sign by the one before it: a chain whose probabilities are known; lengths as they are given."""

    def __init__(self, signs: int, lengths: list[float]) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.table, self.lengths = nn.Parameter(2 * torch.randn(signs, signs)), torch.tensor(lengths).log()

    def forward(self, signs: Tensor, *_: Tensor) -> tuple[Tensor, Tensor]:
        before = torch.cat([signs[:, :1], signs[:, :-1]], 1)
        return self.table[before], self.lengths.expand(*signs.shape, -1)


def chain(lengths: list[float] | None = None, window: int = 32) -> Filler:
    alphabet = Alphabet("abc")
    network = Chain(len(alphabet), lengths or [0.5, 0.5])
    return Filler(network, Evidence({}, alphabet), Proposals(alphabet, None), window, 0)


def told_by(filler: Filler, sign: int) -> list[float]:
    """Give the chances of a, b and c behind a sign."""
    found: list[float] = filler.network.table.detach()[sign, FIRST:].softmax(-1).tolist()
    return found


@pytest.mark.parametrize("length", [1, 2])
def test_fillings_that_are_all_found_have_probabilities_that_sum_to_one(length: int) -> None:
    row = [FIRST, FIRST + 1, *[HIDDEN] * length, FIRST + 2]
    (found,) = chain().restore(row, [Place(2, 2 + length, True)])
    assert len({one.text for one in found}) == 3**length
    assert sum(one.probability for one in found) == pytest.approx(1)
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    for at in range(length):
        agreeing = sum(one.probability for one in found if one.text[at] == found[0].text[at])
        assert found[0].confidences[at] == pytest.approx(agreeing), "as sure as all fillings that agree"


def test_what_is_near_is_read_once_it_is_filled_in() -> None:
    filler = chain()
    row = [FIRST + 1, HIDDEN, FIRST, HIDDEN]
    found = filler.restore(row, [Place(1, 2, True), Place(3, 4, True)])
    for some, before in zip(found, (FIRST + 1, FIRST), strict=True):
        told = told_by(filler, before)
        assert [one.text for one in some] == [letter for _, letter in sorted(zip(told, "abc", strict=True))][::-1]
    first, second = filler.restore([FIRST, HIDDEN, LINE, HIDDEN], [Place(1, 2, True), Place(3, 4, True)])
    assert {one.text for one in (*first, *second)} == set("abc")


def test_the_lengths_of_a_gap_are_weighed_as_the_network_says() -> None:
    def shares(lengths: list[float]) -> list[float]:
        (found,) = chain(lengths).restore([FIRST, GAP, FIRST + 2], [Place(1, 2, False)])
        return [sum(one.probability for one in found if len(one.text) == length) for length in (1, 2)]

    short, long = shares([0.2, 0.8])
    assert short < long and short + long == pytest.approx(1)
    assert shares([0.999, 0.001])[0] > short
    (found,) = chain([0.2, 0.8]).restore([FIRST, GAP, FIRST + 2], [Place(1, 2, False)])
    longer = next(one for one in found if len(one.text) == 2)
    agreeing = sum(one.probability for one in found if one.text[0] == longer.text[0])
    assert longer.confidences[0] == pytest.approx(agreeing), "of any length"


@given(st.integers(1, 3), st.integers(1, 27), st.integers(0, 99))
def test_the_likeliest_sequences_of_signs_are_found(length: int, count: int, seed: int) -> None:
    chances = torch.randn(length, 3, generator=torch.Generator().manual_seed(seed)).log_softmax(-1).numpy()
    every = sorted(product(range(3), repeat=length), key=lambda row: -sum(chances[range(length), row]))
    assert likeliest(chances, count).tolist() == [list(row) for row in every[:count]]


def test_an_ngram_and_a_network_have_their_say_in_what_is_put_into_a_gap() -> None:
    alphabet, ngram = Alphabet(" abc"), Ngram(["ab ab ac bc"])
    chances = torch.tensor([[-torch.inf] * FIRST + [0.0, 0, 0.5, 0]]).log_softmax(-1).numpy()
    found = {one.text: one.probability for one in Proposals(alphabet, ngram).between(" a", " ", [chances])}
    b, c = ngram.scores(["b", "c"], " a", " ")
    apart = b - c + TRUST * float(chances[0, FIRST + 2] - chances[0, FIRST + 3])
    assert log(found["b"] / found["c"]) == pytest.approx(SHARPNESS * apart, rel=1e-3)
    warmer = {
        one.text: one.probability for one in Proposals(alphabet, ngram, temperature=4.0).between(" a", " ", [chances])
    }
    assert max(warmer.values()) < max(found.values())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([FIRST, FIRST + 1, HIDDEN, GAP]), min_size=1, max_size=120))
def test_every_gap_of_a_long_text_is_filled_and_nothing_else(signs: list[int]) -> None:
    places = shown_gaps(signs, 12)
    found = chain(window=24).restore(signs, places)
    assert len(found) == len(places)
    for place, ways in zip(places, found, strict=True):
        assert ways and all(set(one.text) <= set("abc") for one in ways)
        assert not place.known or all(len(one.text) == place.stop - place.start for one in ways)


def test_gaps_are_found_by_their_signs_and_those_that_are_too_long_are_parted() -> None:
    assert shown_gaps([FIRST, HIDDEN, HIDDEN, GAP, HIDDEN], 4) == [
        Place(1, 3, True),
        Place(3, 4, False),
        Place(4, 5, True),
    ]
    assert shown_gaps([HIDDEN] * 5, 3) == [Place(0, 3, True), Place(3, 5, True)]


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 30)), min_size=1, max_size=20), st.integers(0, 30))
def test_every_gap_lies_in_one_window_with_text_on_both_sides(gaps: list[tuple[int, int]], before: int) -> None:
    places, at = [], before
    for length, behind in gaps:
        places.append(Place(at, at + length, True))
        at += length + behind
    windows = windows_of(places, np.zeros(at, np.int64), 32)
    assert [place for window in windows for place in window.places] == places
    for window in windows:
        for place in window.places:
            assert place.start - window.begin >= min(6, place.start)
            assert window.begin + 32 - place.stop >= min(6, at - place.stop)


def test_evidence_is_what_ngrams_of_a_language_say_from_either_side() -> None:
    alphabet = Alphabet(" abc")
    a, b, c = alphabet.signs("abc")
    evidence = Evidence({0: ["ab ac", "ab"]}, alphabet)
    shown = np.array([[a, HIDDEN, HIDDEN, c], [a, HIDDEN, b, PADDING]])
    told = evidence(shown, [0, 1])
    assert told.shape == (2, 4, 2, len(alphabet)) and not told[1].any(), "nobody has learned the other language"
    assert not told[0, [0, 3]].any(), "what is known needs no telling"
    forward, backward = told[0, 1, 0], told[0, 2, 1]
    assert forward.sum() == pytest.approx(1) and forward[b] > forward[c] > forward[a], "ab twice, ac once, aa never"
    assert backward.argmax() == a and told[0, 2, 0].argmax() != b, "behind what is lost the history is lost"


def test_what_was_learned_from_is_told_as_if_it_had_not_been() -> None:
    alphabet = Alphabet(" abcd")
    text = np.array([alphabet.signs("dabc")])
    shown = np.where(np.arange(4) == 2, HIDDEN, text)
    (sign,) = alphabet.signs("b")
    seen, shorter = (Evidence({0: ["bcab", line]}, alphabet) for line in ("dab#", "da#"))
    assert seen(shown, [0], text)[0, 2, 0] == pytest.approx(shorter(shown, [0])[0, 2, 0])
    assert seen(shown, [0])[0, 2, 0, sign] > 1.2 * shorter(shown, [0])[0, 2, 0, sign]


@given(st.lists(st.sampled_from([LINE, FIRST, FIRST + 1, HIDDEN, UNKNOWN]), min_size=1, max_size=20))
def test_a_history_reaches_back_to_what_is_lost_and_no_further_than_seven_signs(signs: list[int]) -> None:
    found = histories(np.array([signs]))[0]
    for at, packed in enumerate(found.tolist()):
        near: list[int] = []
        for sign in reversed(signs[:at]):
            if sign in (HIDDEN, UNKNOWN) or len(near) == 7:
                break
            near.insert(0, sign)
        assert packed == int.from_bytes(bytes(near))


def test_no_line_that_is_held_out_is_kept_for_parallels() -> None:
    source = open_source("lost-words", {"text": reading.medium}, Options())
    kept = lines_of(source, source.classes[:2])
    assert set(kept) == {*source.classes[:2], "none"}
    held_out = {
        normalized(line)
        for record in source.records()
        if record.split == "test"
        for line in str(record.read()).splitlines()
    }
    assert held_out - {""} and not (held_out - {""}) & {line for lines in kept.values() for line in lines}


@pytest.mark.parametrize("lines", [[], [""], [LOST * 3]])
def test_of_lines_in_which_nothing_can_be_read_there_is_no_ngram(lines: list[str]) -> None:
    assert Corpora({"latin": lines}).ngram("latin") is None


def test_marks_that_make_no_sense_in_data_are_left_out() -> None:
    assert read_marks("Dis Mani[bus") == "Dis Manibus" and read_marks("[3] a[b]") == "\ufffd\ufffd\ufffd ab"
    assert read_marks("a [%\n&] b\n[2]") == "a %\n& b\n\ufffd\ufffd"


@pytest.fixture
def model() -> TextRestorationPipeline:
    made = untrained("text-restoration")
    assert isinstance(made, TextRestorationPipeline)
    made.corpora = Corpora({"latin": ["arma virumque cano", "odi et amo"], "persian": ["بشنو این نی"]})
    return made


@pytest.mark.parametrize(
    "text",
    [
        "Arma [4]mque cano,\r\nTroiae qui [...] ab oris\n",
        "می‌خواهم -- بشنو این [2] چون",
        "Dis Mani[bus] / [- - -] fecit",
    ],
)
def test_only_gaps_change(model: TextRestorationPipeline, text: str) -> None:
    made = model(text.encode(), num=2)
    result, record = made["text"], made["record"]
    at, left = 0, str(result)
    for gap in record["gaps"]:  # type: ignore[index]
        position = gap["position"]
        same = position - at
        assert left[:same] == text[at:position] and left[same:].startswith(gap["restored"])
        left, at = left[same + len(gap["restored"]) :], position + len(gap["sign"])
        assert len(gap["confidences"]) == len(gap["restored"]) and len(gap["alternatives"]) <= 2
        assert all(0 <= one <= 1 for one in gap["confidences"])
    assert left == text[at:] and made.facts["text"][SOURCE_TYPE] == COMPOSITE


def test_what_is_restored_is_spelled_as_the_text_is(
    model: TextRestorationPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    yeh = Chain(len(model.alphabet), [0.5] * model.settings.reach)
    yeh.table.data[:, model.alphabet.signs("\u06cc")] = 99.0
    monkeypatch.setitem(model.networks, "generator", yeh)
    for written in ("\u06cc", "\u064a"):
        made = model(f"{written}\u0627 {written}[2]".encode(), num=1)
        assert made["text"] == f"{written}\u0627 {written}{written}{written}"
        (gap,) = made["record"]["gaps"]  # type: ignore[index]
        assert gap["restored"] == gap["alternatives"][0]["text"] == written * 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nothing is lost here", "No gap is in the text; mark what is lost by"),
        ("[...] [3]", "All of the text is lost"),
        ("", "The text is empty"),
        (
            "Dis [17] Manibus",
            r"Nothing can be restored: \[17\] at line 1, 5 is left as it is: 17 characters are more than the 16 that",
        ),
        (
            "Всё\nхорошо [3]",
            r"\[3\] at line 2, 8 .* is Cyrillic, of which the model learned too little \(it knows Arabic, Latin\)\.",
        ),
        ("Dis [ Manibus", "never closed"),
    ],
)
def test_what_cannot_be_restored_is_told_in_a_sentence(model: TextRestorationPipeline, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        model(text.encode())


def test_a_gap_that_cannot_be_filled_is_left_and_told_and_the_others_are_filled(model: TextRestorationPipeline) -> None:
    text = "arma [2]que [200] cano\nμῆνιν ἄειδε Ἀχι[4] οὐλομένην\n\ntroiae qui [1]rimus [999999999999]"
    made = model(text.encode(), num=1)
    result, record = str(made["text"]), made["record"]
    assert [gap["sign"] for gap in record["gaps"]] == ["[2]", "[1]"]  # type: ignore[index]
    left = record["left"]  # type: ignore[index]
    assert [(one["sign"], one["line"], one["column"]) for one in left] == [
        ("[200]", 1, 13),
        ("[4]", 2, 16),
        ("[999999999999]", 4, 21),
    ]
    assert all(text[one["position"] :].startswith(one["sign"]) and one["sign"] in result for one in left)
    assert [one["reason"] for one in left[:2]] == [
        "200 characters are more than the 16 that can be restored",
        "its script is Greek, of which the model learned too little (it knows Arabic, Latin)",
    ]
    assert made.warnings[0] == f"[200] at line 1, 13 is left as it is: {left[0]['reason']}" and len(made.warnings) == 3


@pytest.mark.parametrize(("asked", "languages"), [("", ["latin", "persian"]), ("latin", ["latin", "latin"])])
def test_a_passage_of_another_script_is_read_in_the_language_that_uses_it(
    model: TextRestorationPipeline, asked: str, languages: list[str]
) -> None:
    text = "arma virumque cano troiae qui primus ab o[3] and بشنو این نی چون شکایت می کند از جد[2] then cano"
    record = model(text.encode(), num=1, language=asked)["record"]
    told = [gap["language"] for gap in record["gaps"]]  # type: ignore[index]
    assert told == languages


def test_a_language_that_is_asked_for_is_taken_where_the_model_learned_nothing_of_the_script(
    model: TextRestorationPipeline,
) -> None:
    record = model("μῆνιν ἄειδε θε[2] Πηληϊάδεω".encode(), num=1, language="latin")["record"]
    assert [gap["language"] for gap in record["gaps"]] == ["latin"] and "left" not in record  # type: ignore[index,operator]


def test_of_several_languages_of_a_script_the_likeliest_of_the_passage_is_taken(
    model: TextRestorationPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def likeliest(self: TextRestorationPipeline, signs: Sequence[int], names: Sequence[str]) -> str:
        asked.append(list(names))
        assert "arma virumque \ufffd\ufffd cano" in self.alphabet.text(signs), "the passage"
        return names[-1]

    monkeypatch.setattr(TextRestorationPipeline, "likeliest_language", likeliest)
    model.corpora = Corpora({**model.corpora.lines, "english": ["of arms and the man"]})
    made = model(("بشنو این [2] چون " + "arma virumque [2] cano " * 2).encode(), num=1)
    latin = [name for name in model.languages if name != "persian"]
    assert asked == [["persian"], latin], "once for a passage"  # Not once for a gap.
    told = [gap["language"] for gap in made["record"]["gaps"]]  # type: ignore[index]
    assert told == ["persian", latin[-1], latin[-1]]


def test_a_heading_does_not_choose_the_language_of_what_stands_below_it_and_each_page_has_its_own(
    model: TextRestorationPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Liking(NamedTuple):
        """Finds texts the likelier the more there is of a letter."""

        letter: int

        def likelihood(self, _: Any, wanted: Any) -> float:
            return float((wanted == self.letter).sum() / (wanted >= FIRST).sum())

    likings = {"latin": Liking(model.alphabet.signs("m")[0]), "english": Liking(model.alphabet.signs("a")[0])}
    monkeypatch.setattr(TextRestorationPipeline, "filler", lambda _, name, *__: likings[name])

    def language(signs: Sequence[int]) -> str:
        return model.likeliest_language(signs, list(likings))

    head, below = model.alphabet.signs("m" * model.window), model.alphabet.signs("a" * 3 * model.window)
    assert language(head) == "latin" and language([*head, *below]) == "english"
    passages = list[str]()

    def noted(self: TextRestorationPipeline, signs: Sequence[int], names: Sequence[str]) -> str:
        passages.append(self.alphabet.text(signs))
        return names[0]

    monkeypatch.undo()
    monkeypatch.setattr(TextRestorationPipeline, "likeliest_language", noted)
    text = "arma " * BLOCK + "[2] " + "cano " * BLOCK + "[2]"
    model(text.encode(), num=1)
    assert [len(one) for one in passages] == [BLOCK, BLOCK] and "arma" not in passages[1]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("in Persian به نام خد[2] and in Greek", "Arabic"),
        ("in Greek θεὸς σω[2].", "Greek"),
        ("about 5 µ[2] of gold", "Latin"),
        ("x and y are [2] or α", "Latin"),
        ("Mani[2]s", "Latin"),
        ("彼はカメラを[2]ました", "CJK"),
        ("한국어 [2] 漢字", "CJK"),
        ("12 [2] 34", ""),
        ("بشنو " + "1 " * 40 + "[2] ", ""),
    ],
)
def test_letters_near_a_gap_tell_its_script(text: str, script: str) -> None:
    damaged = read_gaps(text)
    assert script_around(damaged.read, places_of(damaged)[0]) == script


def test_a_language_uses_the_scripts_of_a_good_part_of_its_letters() -> None:
    assert used_scripts(["arma virumque cano"] * 19 + ["θεός"]) == {"Latin"}
    assert used_scripts(["arma virumque", "μῆνιν ἄειδε θεά"]) == {"Latin", "Greek"}
    assert used_scripts(["1 2", ""]) == frozenset()
    assert used_scripts(["私はカメラを買いました。" * 2, "漢字とひらがな"]) == {"CJK"}


@pytest.mark.parametrize("sign", ["[...\n...]", "[--- / ---]"])
def test_lines_stay_as_many_where_a_line_ends_within_a_gap(model: TextRestorationPipeline, sign: str) -> None:
    text = f"arma virumque\ncano {sign} troiae\nqui [2] ab oris"
    made = model(text.encode(), num=1)
    result, (gap, last) = str(made["text"]), made["record"]["gaps"]  # type: ignore[index]
    assert gap["line_ends"] in {"\n", " / "} and last["line"] == text[: last["position"]].count("\n") + 1
    assert result.count("\n") == text.count("\n") and result.count(" / ") == text.count(" / ")


def test_what_was_restored_stands_in_brackets_where_that_is_asked(model: TextRestorationPipeline) -> None:
    text = b"arma [4]mque cano [...] oris"
    plain, marked = (model(text, num=1, mark=mark) for mark in ("none", "brackets"))
    first, second = (gap["restored"] for gap in plain["record"]["gaps"])  # type: ignore[index]
    assert plain["text"] == f"arma {first}mque cano {second} oris"
    assert marked["text"] == f"arma [{first}]mque cano [{second}] oris"
    assert marked["record"]["gaps"] == plain["record"]["gaps"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("restored", "marked"),
    [("ma", "[ma]"), ("5", "5"), ("12-14", "12-14"), ("...", "..."), (" ", " "), ("?", "?"), ("\n", "\n")],
)
def test_what_would_be_a_sign_of_a_gap_in_brackets_stands_without(restored: str, marked: str) -> None:
    damaged = read_gaps("arma [...] cano")
    filled = Filled("latin", [Alternative(restored, 1.0, (1.0,) * len(restored))], [])
    text = Restoration("latin", damaged, [filled]).text("brackets")
    assert text == f"arma {marked} cano" and not read_gaps(text).gaps


def test_a_language_that_the_model_does_not_know_is_told(model: TextRestorationPipeline) -> None:
    with pytest.raises(ValueError, match="knows no language 'latn'; did you mean 'latin'"):
        model(b"a [1]", language="latn")


def test_a_heading_says_that_long_passages_were_restored_and_is_read_past(model: TextRestorationPipeline) -> None:
    long = ("arma virumque cano [9]\n" * 23).encode()
    facts, body = parted(str(model(long, num=1)["text"]))
    assert facts[SOURCE_TYPE] == COMPOSITE and body.startswith("arma")
    assert parted(str(model(long, num=1, heading="never")["text"]))[0] == {}
    short = model(b"arma [4]", heading="always")
    assert parted(str(short["text"]))[0] and not parted(str(model(b"arma [4]")["text"]))[0]
    again = model((str(short["text"]) + " [2]").encode(), heading="never")
    assert str(again["text"]).startswith("arma") and again.facts["text"]["before"][SOURCE_TYPE] == COMPOSITE


def test_parallels_are_of_the_language_and_as_many_as_asked(model: TextRestorationPipeline) -> None:
    made = model(b"arma viru[3]e cano", language="latin", parallels=1)
    (gap,) = made["record"]["gaps"]  # type: ignore[index]
    assert [one["line"] for one in gap["parallels"]] == ["arma virumque cano"]
    none = model(b"arma viru[3]e cano", language="persian")
    assert none["record"]["gaps"][0]["parallels"] == []  # type: ignore[index]


def test_parallels_come_by_their_likeness_and_show_the_part_that_is_shared() -> None:
    long = f"{'sed alia omnia ' * 40}arma virumque {LOST * 2} cano {'sed alia omnia ' * 40}"
    found = Corpora({"latin": [long, "arma sed nihil", "virumque"]}).nearest("latin", "arma virumque", 3)
    likeness = [one.likeness for one in found]
    assert likeness == sorted(likeness, reverse=True) and found[0].number == 0
    assert "arma virumque [2] cano" in found[0].part and len(found[0].part) < 140 < len(found[0].line)


def test_a_parallel_that_is_as_like_as_any_by_chance_is_not_told_in_words() -> None:
    def told(likeness: float) -> str:
        parallels = [{"part": "arma virumque", "likeness": likeness}, {"part": "odi et amo", "likeness": 0.9}]
        way = {"text": "ma", "probability": 0.5}
        where = {"sign": "[2\n]", "position": 4, "line": 2, "column": 1_014}
        return in_words({**where, "alternatives": [way], "parallels": parallels})

    assert told(CHANCE) == "[2 ] at line 2, 1,014: 'ma' (50%); near: 'arma virumque'"
    assert told(CHANCE - 0.01) == "[2 ] at line 2, 1,014: 'ma' (50%)"


def test_what_is_lost_of_parallels_is_written_as_editors_do() -> None:
    corpora = Corpora({"latin": ["arma virumque \ufffd\ufffd cano \ufffc"]})
    assert [one.line for one in corpora.nearest("latin", "arma virumque", 1)] == ["arma virumque [2] cano [...]"]


def test_what_was_learned_from_is_kept_with_a_model(model: TextRestorationPipeline, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    loaded = TextRestorationPipeline.from_pretrained(tmp_path)
    assert isinstance(loaded, TextRestorationPipeline) and loaded.corpora and model.corpora
    assert loaded.corpora.lines == model.corpora.lines


@pytest.mark.parametrize("said", [{}, {"fading": {"english": 0.5}, "confidence": {"english": (2.0, 0.0)}}])
def test_a_model_that_is_tuned_is_as_sure_of_itself_unless_the_recipe_says_how(
    model: TextRestorationPipeline, said: dict[str, Any]
) -> None:
    of_model = {"fading": {"latin": 0.25}, "confidence": {"latin": (0.5, 0.1)}}
    recipe = text_restoration.example()
    asked = recipe.model_copy(update={"task": Choice(name=recipe.task.name, **recipe.task.options | said)})
    options = text_restoration.adopt(asked, model.settings.model_copy(update=of_model)).task.options
    expected = said or of_model
    assert {key: options[key] for key in expected} == json.loads(json.dumps(expected)), "tuples are lists in a recipe"


def test_a_restorer_fills_what_is_lost_of_a_passage(model: TextRestorationPipeline) -> None:
    text = "arma \ufffd\ufffd\ufffd cano \ufffc a\ufffd"
    restored = model.restorer.restore(text, "latin")
    assert len(restored) == len(text) and "\ufffd" not in restored and restored[:5] == "arma " and "\ufffc" in restored
    for length in (3, None):
        found = model.restorer.fill("arma ", length, " cano", 4, "latin")
        assert len(found) == 4 and (length is None or {len(one.text) for one in found} == {3})


def test_a_model_is_applied_with_a_record_beside_the_text(
    model: TextRestorationPipeline, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    model.save_pretrained(tmp_path / "model")
    (tmp_path / "letter.txt").write_text("arma [4]mque\ncano [...] oris", encoding="utf-8")
    asked = ("apply", tmp_path / "model", tmp_path / "letter.txt", "--out")
    ended = gannet_command(*asked, tmp_path / "out.txt", "--json")
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)["result"]
    record = json.loads((tmp_path / "out.record.json").read_text(encoding="utf-8"))
    assert record[SOURCE_TYPE] == COMPOSITE and len(record["gaps"]) == 2
    assert told["details"][str(tmp_path / "letter.txt")]["gaps"] == record["gaps"]
    words = gannet_command(*asked, tmp_path / "2.txt")
    assert words.out.count("[4] at line 1, 6: ") == 1 and "[...] at line 2, 6: " in words.out


def test_a_book_that_was_broken_off_goes_on_and_becomes_what_it_would_have_become(
    model: TextRestorationPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "PAGE", 1)
    folder, book = model.save_pretrained(tmp_path / "model"), tmp_path / "book.txt"
    lines = ("arma virumque cano troiae qui primus ab oris [3] italiam fato " * 4, "odi et [...] amo quare id faciam")
    book.write_text("\n".join(lines * 3), encoding="utf-8")
    gannet.apply(folder, book, out=tmp_path / "whole.txt")
    begun: list[int] = []
    out = tmp_path / "out.txt"
    with pytest.raises(Stopped):
        gannet.apply(
            folder, book, out=out, should_stop=lambda: len(list(tmp_path.glob("out.txt.partial/*-*.json"))) == 5
        )
    assert not out.exists()
    real = filling.Filler.fill

    def counted(filler: Filler, windows: Sequence[Window]) -> None:
        begun.append(len(windows))
        real(filler, windows)

    monkeypatch.setattr(filling.Filler, "fill", counted)
    gannet.apply(folder, book, out=out)
    assert out.read_text(encoding="utf-8") == (tmp_path / "whole.txt").read_text(encoding="utf-8")
    records = [json.loads((tmp_path / f"{name}.record.json").read_text(encoding="utf-8")) for name in ("out", "whole")]
    assert records[0]["gaps"] == records[1]["gaps"] and 0 < len(begun) < len(records[0]["gaps"]) - 5
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("later", ["latin", "persian"])
def test_a_book_of_two_languages_goes_on_where_the_choice_between_them_falls_out_otherwise(
    model: TextRestorationPipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, later: str
) -> None:
    monkeypatch.setattr(filling, "PAGE", 1)
    usual = "latin"
    monkeypatch.setattr(
        TextRestorationPipeline, "likeliest_language", lambda _, __, names: usual if usual in names else names[0]
    )
    folder, book, out = model.save_pretrained(tmp_path / "model"), tmp_path / "book.txt", tmp_path / "out.txt"
    passages = (
        "arma virumque cano troiae qui primus ab oris [3] italiam fato ",
        "بشنو این نی چون شکایت می کند از [3] جدایی ها ",
    )
    book.write_text("\n".join(passage * 2 for passage in passages * 3), encoding="utf-8")
    gannet.apply(folder, book, out=tmp_path / "whole.txt")
    with pytest.raises(Stopped):
        gannet.apply(
            folder, book, out=out, should_stop=lambda: len(list(tmp_path.glob("out.txt.partial/*-*.json"))) == 2
        )
    usual = later
    gannet.apply(folder, book, out=out)
    assert out.read_text(encoding="utf-8") == (tmp_path / "whole.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("signs", "warned"), [("[1] [2] [3]", True), ("[1] [2]", False), ("[1] [2] [4]", False)])
def test_gaps_that_are_numbered_in_a_row_are_said_to_look_like_footnotes(signs: str, warned: bool) -> None:
    found = footnotes([{"sign": sign} for sign in signs.split()])
    assert bool(found) == warned and (not warned or "[1] to [3]" in found[0])


@pytest.mark.parametrize(("found", "accuracy", "errors", "top"), [("Abcd", 1, 0, 1), ("abxd", 0.75, 0.25, 0)])
def test_figures_of_a_gap(found: str, accuracy: float, errors: float, top: float) -> None:
    alternatives = [Alternative(found, 0.5, (0.5,) * 4), Alternative("abcd", 0.2, (0.5,) * 4)]
    told = figures(alternatives, Hole("", "abcd", "", ""))
    assert told == {
        "character accuracy": accuracy,
        "character error rate": errors,
        "top-1": top,
        "top-20": 1,
    }
