"""A judgement on the page: its verdict, and a table of its figures, in the page's language."""

from __future__ import annotations

import pytest

pytest.importorskip("gradio")

from gannet.metrics.judgement import Judgement
from gannet.metrics.measure import Measure
from gannet.studio.judging import shown
from gannet.studio.train import _lasting

FOUND = Judgement(
    [
        Measure("precision", 0.1234567, 0.1, 0.15, 0.9, "judge-v1", 100, 100, "halves", "high"),
        Measure("classifier accuracy", 0.5, 0.5, 0.5, None, "judge-v1", 100, 100, "halves", 0.5),
    ],
    notes=("<b>a note</b>",),
    sentence="Far from your pictures: precision 0.12 (reals: 0.9).",
)


def test_the_verdict_stands_first_and_each_figure_once_in_the_table() -> None:
    said = shown(FOUND, "en")
    verdict, rest = said.split("<table", 1)
    table, remarks = rest.split("</table>")
    assert FOUND.sentence in verdict and FOUND.sentence not in rest
    assert table.count("<tr>") == 3 and "0.1235" in table and "higher" in table and "0.1 – 0.15" in table
    assert "&lt;b&gt;a note" in remarks and "precision 0.12" not in remarks and "halves" in remarks


def test_without_figures_there_is_no_table() -> None:
    assert "<table" not in shown(Judgement([], left_out={"distances": "there are too few"}), "en")


def test_a_judgement_is_told_in_persian() -> None:
    said = shown(FOUND, "fa")
    assert FOUND.sentence not in said and "سنجه" in said and "بیشتر" in said


@pytest.mark.parametrize("wrong", ["abc", "0", "-3", "1.5", "<b>"])
def test_a_number_of_images_that_is_none_is_refused_in_a_sentence(wrong: str) -> None:
    with pytest.raises(ValueError, match="give a whole number of at least 1") as raised:
        _lasting(wrong, "en")
    assert repr(wrong) in str(raised.value)


@pytest.mark.parametrize(
    ("typed", "read"),
    [("", {}), (" ", {}), ("1,000", {"images": 1000}), ("۵۰۰", {"images": 500}), ("۱۲٬۵۰۰", {"images": 12_500})],
)
def test_a_number_of_images_is_read_as_people_write_it(typed: str, read: object) -> None:
    assert _lasting(typed, "en") == read
