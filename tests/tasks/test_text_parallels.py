"""Parallels: the nearest lines of a corpus, and the file that they are kept in."""

import lzma
from pathlib import Path

import numpy as np
import pytest

from gannet.runtime import reading
from gannet.tasks._text.gaps import LOST, LOST_SOME
from gannet.tasks._text.parallels import Corpus, _largest, in_place, part_of, read_corpora, write_corpora

LINES = [
    "Arma virumque cano, Troiae qui primus ab oris",
    "Italiam fato profugus Laviniaque venit",
    "litora, multum ille et terris iactatus et alto",
    "vi superum, saevae memorem Iunonis ob iram",
    "multa quoque et bello passus, dum conderet urbem",
    "inferretque deos Latio, genus unde Latinum",
]


@pytest.mark.parametrize("at", range(len(LINES)))
def test_half_a_line_finds_the_whole(at: int) -> None:
    line = LINES[at]
    half = line[: len(line) // 2] + LOST_SOME
    assert Corpus(LINES).nearest(half)[0].number == at
    every_other = "".join(LOST if place % 6 < 3 else one for place, one in enumerate(line))
    assert Corpus(LINES).nearest(every_other)[0].line == line


def test_likeness_is_whole_for_the_same_line_in_any_spelling() -> None:
    corpus = Corpus([*LINES, "کتاب دل ها"])
    assert corpus.nearest(LINES[0].upper())[0].likeness == pytest.approx(1)
    found = corpus.nearest("كِتاب دل\u200cها")[0]
    assert found.number == len(LINES) and found.likeness == pytest.approx(1)
    nearest = corpus.nearest("Arma zzz qqq", 3)
    assert [one.likeness for one in nearest] == sorted((one.likeness for one in nearest), reverse=True)
    assert nearest[0].number == 0 and nearest[0].likeness < 0.5


def test_what_stands_in_its_place_goes_before_what_shares_as_much_elsewhere() -> None:
    lines = ["vixit annis", *(f"vixit annis {place}" for place in ("romae", "ostiae", "capuae")), "vixit annis XXX"]
    for line in lines:
        assert Corpus(lines).nearest("vixit" + LOST * (len(line) - 5))[0].line in {
            one for one in lines if len(one) == len(line)
        }
    shares = in_place(f"ab{LOST}d{LOST_SOME}yz", ["abcd yz", "abcdyz", "qabcdyz", "xxxxxx"])
    assert shares.tolist() == pytest.approx([1, 1, 0.5, 0])


@pytest.mark.parametrize("count", range(1, 8))
def test_of_equal_scores_the_first_goes_first(count: int) -> None:
    assert _largest(np.array([1.0, 3.0, 2.0, 3.0, 2.0, 2.0]), count).tolist() == [1, 3, 2, 4, 5, 0][:count]


def test_what_shares_nothing_has_no_parallels() -> None:
    assert Corpus(LINES).nearest("ξξξ") == Corpus([]).nearest("arma") == Corpus(LINES).nearest(LOST_SOME) == []


def test_of_a_long_line_the_part_is_shown_that_is_shared() -> None:
    line = "lorem ipsum dolor sit amet " * 40 + "Arma virumque cano Troiae qui primus ab oris " + "sed do eiusmod " * 40
    part = part_of(line, f"arma viru{LOST * 3}e cano, troiae qui p{LOST_SOME}")
    assert "Arma virumque cano Troiae qui primus" in part and len(part) <= 126
    assert part[:3] == part[-3:] == "..." and f" {part[3:-3]} " in line, "whole words"
    assert part_of("Arma virumque", "arma") == "Arma virumque"
    assert part_of(f"Arma virumque {'cano ' * 60}", "arma virumque").startswith("Arma virumque cano")
    assert part_of(f"{'cano ' * 60}arma virumque", "arma virumque").endswith("cano arma virumque")
    assert len(part_of("x" * 500, "y")) == 126


def test_rare_sequences_count_more_than_common_ones() -> None:
    corpus = Corpus(["et tu et tu et tu", *["et tu brevis"] * 20, "quixotus"])
    assert corpus.nearest("et quixo")[0].line == "quixotus"


def test_nothing_is_compared_across_a_gap() -> None:
    assert Corpus(["xaby"]).nearest(f"a{LOST}b") == []


def test_corpora_come_back_from_one_file(tmp_path: Path) -> None:
    path = tmp_path / "corpora.tsv.xz"
    write_corpora(path, {"latin": LINES, "persian": ["دل می رود ز دستم", ""]})
    back = read_corpora(path)
    assert back == {"latin": LINES, "persian": ["دل می رود ز دستم", ""]}
    for wrong in ("a\tb", "a\nb"):
        with pytest.raises(ValueError, match="is not one line without tabs"):
            write_corpora(path, {"latin": [wrong]})


@pytest.mark.parametrize(
    "content", [b"no archive", lzma.compress(b"a line without a language\n"), lzma.compress(b"a\tb")[:-9]]
)
def test_a_damaged_corpus_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "corpora.xz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"corpora\.xz is damaged or was not written by Gannet"):
        read_corpora(path)


def test_a_corpus_that_unpacks_to_more_than_any_text_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LARGEST_FILE", 1 << 16)
    path = tmp_path / "corpora.xz"
    path.write_bytes(lzma.compress(b"latin\t" + b"a" * (1 << 20) + b"\n"))
    with pytest.raises(ValueError, match="over the limit"):
        read_corpora(path)
