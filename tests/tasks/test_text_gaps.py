"""The signs of damaged text: what they mean, and what means nothing."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.tasks._text.gaps import LOST, LOST_SOME, Gap, Known, check_fillable, read_gaps


@pytest.mark.parametrize(
    ("sign", "length"),
    [
        ("[...]", None),
        ("[…]", None),
        ("[---]", None),
        ("[- - -]", None),
        ("[— — —]", None),
        ("[]", None),
        ("[5]", 5),
        ("[ 12 ]", 12),
        ("[۵]", 5),
        ("[ca. 7]", 7),
        ("[c. 7?]", 7),
        ("[±7]", 7),
        ("[.]", 1),
        ("[....]", 4),
        ("[. . . . .]", 5),
        ("[--]", 2),
        ("[-----]", 5),
        ("----", 4),
        ("-----", 5),
        ("[?]", None),
        ("[-3-]", 3),
        ("[- c. 4 -]", 4),
        ("[2-3]", None),
        ("[5–8]", None),
        ("[39-40]", None),
        ("[+++]", 3),
        ("[+ +]", 2),
        ("[...\n...]", None),
        ("[---\r\n- - -]", None),
        ("[--- / ---]", None),
        ("[.....\n..]", 7),
        ("[4\n]", 4),
        ("\ufffd\ufffd", 2),
        ("□▯□", 3),
    ],
)
def test_a_sign_tells_how_much_is_lost(sign: str, length: int | None) -> None:
    damaged = read_gaps(f"ante{sign}post")
    assert damaged.gaps == [Gap(sign, length)]
    assert damaged.read == f"ante{LOST_SOME if length is None else LOST * length}post"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("M(anibus) |(centurio) (ex) voto", "Manibus centurio ex voto"),
        ("<L=I>eo ⟨a⟩mi ‹et›", "Leo ami et"),
        ("vi{xi}xit", "vixit"),
        ("ma / ximus", "ma\nximus"),
        ("Ἁδρι̣ανο\u0323ν", "Ἁδριανον"),
        ("Ma?rcus(?) quo? vadis(!)", "Marcus quo? vadis"),
        ("Marcus [?] Gaius[?], M(anius) [ ? ] vixit\u0323 [?]", "Marcus Gaius, Manius vixit"),
        ("well-known -- or --- not", "well-known -- or --- not"),
        ("[[Getae]] 〚et〛", "Getae et"),
        ("and/or", "and/or"),
    ],
)
def test_editors_signs_are_not_read(written: str, read: str) -> None:
    damaged = read_gaps(written)
    assert damaged.read == read and not damaged.gaps
    assert all(damaged.on_stone)


@pytest.mark.parametrize(
    "text", ["[?] Marcus", "Marcus, [?]", "Marcus  [?]", "Marcus\n[?]", "Ma[?]us", "a [...] [?]", "[5][?] a"]
)
def test_a_mark_of_doubt_that_is_not_right_behind_a_word_is_a_gap(text: str) -> None:
    assert [gap.length for gap in read_gaps(text).gaps][-1] is None
    assert read_gaps(text).gaps[-1].written == "[?]"


def test_supplements_are_read_and_are_not_the_stones() -> None:
    damaged = read_gaps("Ta[citus et [...] fi]lius")
    assert damaged.read == f"Tacitus et {LOST_SOME} filius"
    stone = "".join(one for one, seen in zip(damaged.read, damaged.on_stone, strict=True) if seen)
    assert stone == "Talius"
    assert read_gaps("Ga[ius] [?] vixit").read == "Gaius vixit"
    assert [piece.supplied for piece in damaged.pieces if isinstance(piece, Known)] == [False, True, True, False]


def test_only_gaps_change() -> None:
    damaged = read_gaps("كِتاب\u200cها [2] دل [...]\n(M)anibus / -----")
    assert damaged.filled(["ab", "c", "d"]) == "كِتاب\u200cها ab دل c\n(M)anibus / d"
    assert damaged.filled(["x\ny", "c", "d"]).startswith("كِتاب\u200cها x / y"), "lines end as they do elsewhere"


@pytest.mark.parametrize(
    ("sign", "ends"),
    [("[...\n...]", "\n"), ("[--- / ---]", " / "), ("[3\n]", "\n"), ("[.....\r\n..\n...]", "\r\n\n"), ("[...]", "")],
)
def test_line_ends_within_a_sign_stay_behind_what_was_restored(sign: str, ends: str) -> None:
    assert read_gaps(f"Dis\nIulia {sign} vixit\nuxor").filled(["filia"]) == f"Dis\nIulia filia{ends} vixit\nuxor"


@pytest.mark.parametrize(
    "rule",
    ["--------", "- - - -", "* * *", "  -----  ", "—————", "---- ----", "\u200f-----\u200f", "\u202b\u00a0-----\u202c"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_of_nothing_but_dashes_is_a_rule(rule: str, end: str) -> None:
    damaged = read_gaps(f"Chapter I{end}{rule}{end}He went to the to----- and")
    assert [gap.written for gap in damaged.gaps] == ["-----"]
    assert damaged.filled(["wn"]) == f"Chapter I{end}{rule}{end}He went to the town and"


def test_gaps_are_left_as_they_are_where_nothing_is_put_into_them() -> None:
    assert read_gaps("a [2\n] b [...] c").filled([None, "x"]) == "a [2\n] b x c"


def test_contexts_end_where_asked_and_tell_of_other_gaps() -> None:
    damaged = read_gaps("abc[1]def[...]ghi")
    assert damaged.contexts(5) == [("abc", f"def{LOST_SOME}g"), (f"c{LOST}def", "ghi")]
    assert damaged.contexts(0) == [("", ""), ("", "")]


@given(st.text(st.sampled_from("ab /[].5-? <>(){}\u0323۵�")))
def test_what_is_read_is_what_was_written_or_a_sentence(text: str) -> None:
    try:
        damaged = read_gaps(text)
    except ValueError as error:
        assert str(error).endswith(".")
        return
    assert "".join(piece.written for piece in damaged.pieces) == text
    assert damaged.filled([None] * len(damaged.gaps)) == text
    assert len(damaged.on_stone) == len(damaged.read)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ab [c", "bracket at line 1, 4 is never closed"),
        ("a\nb] c", "bracket at line 2, 2 closes none"),
        ("ab [%&] c", r"\[%&\] \(line 1, 4\): no sign"),
        ("ab [0] c", r"\[0\] \(line 1, 4\): no sign"),
        ("in [1914-1918] he", r"\[1914-1918\] \(line 1, 4\): no sign"),
        ("[112-118] [200-300]", r"\[112-118\] \(line 1, 1\), \[200-300\] \(line 1, 11\): no sign"),
        ("ab [3-3] [5-2] c", r"\[3-3\] \(line 1, 4\), \[5-2\] "),
        ("ab [12-41] c", r"\[12-41\] "),
        (
            "a [0]\nb [%&] c]\n[d [e",
            r"\[0\] \(line 1, 3\), \[%&\] \(line 2, 3\): .*at line 2, 9 .*at line 3, 1, line 3, 4",
        ),
    ],
)
def test_signs_without_a_meaning_are_all_told_at_once(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_gaps(text)


def test_of_very_many_faults_of_a_kind_the_first_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[0\] \(line 1, 88\) and 4 more: no sign"):
        read_gaps("[0]" * 34)
    with pytest.raises(ValueError, match=r"line 30, 2 and 4 more closes none.* line 64, 1 and 4 more is never closed"):
        read_gaps("a]\n" * 34 + "[a\n" * 34)
    with pytest.raises(ValueError) as told:
        read_gaps(f"[{'%' * 50_000}] a ]")
    assert "%] (line 1, 1): no sign" in str(told.value) and len(str(told.value)) < 400


def test_many_faults_of_a_big_book_are_told_as_soon_as_few() -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match="and 49,970 more"):
        read_gaps("a [0] ]\n" * 50_000)
    assert time.process_time() - start < 3  # Seconds; where the place of each is told it is minutes.


@pytest.mark.parametrize("count", [2, 9, 40])
def test_brackets_that_are_never_closed_are_told_with_all_other_faults(count: int) -> None:
    text = "[0]\n" + "[a\n" * count + "[b] [%&]\n"
    with pytest.raises(ValueError) as told:
        read_gaps(text)
    said = str(told.value)
    assert f"[0] (line 1, 1), [%&] (line {count + 2}, 5): no sign" in said and "Over 8" not in said
    assert "bracket at line 2, 1, line 3, 1" in said and said.endswith("never closed; close it with ].")


@pytest.mark.parametrize(
    ("text", "said"),
    [("all is here", "No gap is in the text"), ("[5] [...] .", "All of the text is lost"), ("", "The text is empty")],
)
def test_what_cannot_be_restored_is_told_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_fillable(read_gaps(text))
    check_fillable(read_gaps("ab [10] [...] c"))


@pytest.mark.parametrize(
    "text",
    [
        "[" + " " * 50_000,
        "[" + " " * 50_000 + "]",
        "[5" + " " * 50_000,
        " " * 50_000,
        "[" + ". " * 25_000,
        "a" + "{" * 50_000,
    ],
)
def test_long_rows_of_one_sign_take_no_longer_than_others(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(ValueError):
        damaged = read_gaps(text)
        assert damaged.filled(["a"] * len(damaged.gaps))
    assert time.process_time() - start < 2  # Seconds; where every beginning is tried anew it is minutes.


def test_brackets_within_brackets_end_somewhere() -> None:
    with pytest.raises(ValueError, match="Over 8 brackets at line 1, 9 lie within each other"):
        read_gaps("[" * 50_000 + "a" + "]" * 50_000)


def test_a_number_of_lost_characters_takes_no_memory() -> None:
    for number in ("999999999999", "9" * 5000):
        damaged = read_gaps(f"a [{number}] b")
        assert damaged.read == f"a {LOST_SOME} b"
        assert (damaged.gaps[0].length or 0) > 1_000
    assert read_gaps("[005]").gaps[0].length == 5
