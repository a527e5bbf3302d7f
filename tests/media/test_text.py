"""Texts: what is read and what is refused, in a sentence; headings; what is shown."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gannet.media import record, text
from gannet.media.text import decoded, heading, main_script, parted, probable_encoding, words
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE

PERSIAN = "می‌خواهم بنویسم که این نامه را نیافتم"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_what_is_written_is_read_as_it_was(value: str) -> None:
    read = text.medium.read(text.medium.encode(value, ".txt", {}))
    assert read == value.removeprefix("\ufeff")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028"])
def test_newlines_and_joiners_stay_and_a_byte_order_mark_is_no_part_of_a_text(newline: str) -> None:
    written = f"{PERSIAN}{newline}Dis [...] Manibus"
    assert text.medium.read(b"\xef\xbb\xbf" + written.encode()) == written


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("إن الأمر كله كتاب قديم".encode("windows-1256"), "probably in windows-1256; save it as UTF-8, or"),
        ("à la recherche du temps passé".encode("windows-1252"), "probably in windows-1252"),
        (PERSIAN.encode("utf-16"), "it is in utf-16; save it as UTF-8, or learn from it by data.encoding=utf-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is no text"),
        (b"%PDF-1.4\n" + bytes(range(256)), "it is no text"),
        (b"plain at first, then \x00\x01", "it is no text"),
    ],
)
def test_other_encodings_are_named_and_what_is_no_text_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_bytes(content)
    with pytest.raises(ValueError, match=r"some\.txt cannot be read: .*" + reason):
        text.medium.open(tmp_path / "some.txt")


@pytest.mark.parametrize("encoding", ["windows-1256", "utf-16", "iso-8859-6"])
def test_other_encodings_are_read_when_they_are_told(encoding: str) -> None:
    plain = "كتاب قديم"
    assert text.TextMedium(encoding).read(plain.encode(encoding)) == plain


def test_an_encoding_that_there_is_not_or_that_does_not_fit_is_told() -> None:
    with pytest.raises(ValueError, match=r"there is no encoding 'utf-9'"):
        decoded(b"a", "utf-9")
    with pytest.raises(ValueError, match=r"it is not in ascii, as data\.encoding says"):
        decoded("é".encode(), "ascii")
    assert probable_encoding("Müller".encode("latin-1")) == "windows-1252"


def test_characters_become_their_numbers_and_back() -> None:
    field = text.medium.field(16)
    fitted = text.medium.fit("aß\U0001f600\n", field)
    assert fitted.tolist() == [97, 223, 0x1F600, 10] and fitted.dtype == np.int32
    padded = torch.from_numpy(np.pad(fitted, (0, 3)))
    assert words(padded) == "aß\U0001f600\n"
    with pytest.raises(ValueError, match="it holds no text"):
        text.medium.fit(" \n", field)


def test_a_heading_says_what_its_facts_were_and_is_no_part_of_the_text() -> None:
    facts = {SOURCE_TYPE: COMPOSITE, "model": "مدل"}
    marked = f"{heading(facts)}\nDis Manibus\nfecit"
    assert parted(marked) == (facts, "Dis Manibus\nfecit") and text.medium.marks(marked) == facts
    for plain in ("Dis Manibus", "# Restored by a model: {}\nx", "# Restored by a model: [\nx", ""):
        assert parted(plain) == ({}, plain)


def test_the_script_that_most_letters_are_of_is_named() -> None:
    assert [main_script(one) for one in (PERSIAN, "Dis Manibus", "θεοῖς", "1 2")] == [
        "Arabic",
        "Latin",
        "Greek",
        "no letters",
    ]


def test_findings_count_characters_and_scripts() -> None:
    rows = [text.medium.fit(one, text.medium.field(8)) for one in ("aab", "θ a")]
    (line,) = text.medium.examine(rows).lines
    assert line == "6 characters, 4 different ones: Latin (4), Greek (1)."


def test_texts_are_saved_as_texts_only() -> None:
    with pytest.raises(ValueError, match=r"saved as \.txt, not \.png"):
        text.medium.encode("a", ".png", {})


def test_records_hold_the_facts_of_what_they_belong_to() -> None:
    content = record.medium.encode({"gaps": ["الف"]}, ".json", {SOURCE_TYPE: COMPOSITE, "model": "m"})
    assert "الف".encode() in content
    assert record.medium.read(content) == {SOURCE_TYPE: COMPOSITE, "model": "m", "gaps": ["الف"]}
    with pytest.raises(ValueError, match="it holds no record"):
        record.medium.read(b"[1]")


@pytest.mark.parametrize("value", ["Dis Manibus sac[3]", "arma\nvirumque [2]", "a " * 5_000 + "[3]", Path("none.txt")])
def test_a_text_that_is_given_as_a_path_is_told_to_be_given_as_bytes(value: str | Path) -> None:
    with pytest.raises(ValueError, match=r"There is no text at .*; give a file, or the text itself as bytes in UTF-8"):
        text.medium.open(value)
    assert text.medium.open(str(value).encode()) == str(value)
    with pytest.raises(ValueError, match="list is no text; give a file, or the text itself as bytes"):
        text.medium.open(["a"])
