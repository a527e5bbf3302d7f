"""Sources of texts: files and folders of them, how they are cut, what is held out, and marks of editors."""

import gzip
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gannet.data.sources import media_of, open_source
from gannet.data.sources.texts import TextSource, cut
from gannet.media.text import Options
from gannet.tasks.text_restoration import reading

MEDIA = {"text": reading.medium}
LINES = [f"line {number} of a long poem about nothing" for number in range(200)]


def source(path: object, **options: object) -> TextSource:
    found = open_source(str(path), MEDIA, Options(**options))
    assert isinstance(found, TextSource)
    return found


def texts_of(found: TextSource) -> list[str]:
    return [str(record.read()) for record in found.records()]


@given(st.lists(st.text("ab ", max_size=30), max_size=60), st.integers(8, 40))
def test_cutting_loses_and_doubles_no_line(lines: list[str], length: int) -> None:
    kept = [line for line in lines if line]
    parts = cut(lines, length)
    assert [line for part in parts for line in part.split("\n") if line] == kept
    assert not any("\n\n\n" in part or part != part.strip("\n") for part in parts)


def test_the_last_tenth_of_every_file_is_held_out_in_one_piece(tmp_path: Path) -> None:
    for name in ("english", "latin"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text("\n".join(LINES))
    found = source(tmp_path, length=16)
    assert found.classes == ("english", "latin")
    splits = [(record.label, record.split) for record in found.records()]
    assert splits == sorted(splits, key=lambda one: (one[0], one[1] == "test"))
    counts = Counter(splits)
    assert 0.05 < counts[0, "test"] / (counts[0, "test"] + counts[0, "train"]) < 0.15
    assert counts[0, "test"] == counts[1, "test"]


@pytest.mark.parametrize(("files", "lines", "parts"), [(30, 1, 3), (20, 2, 4), (1, 2, 1), (2, 1, 1), (1, 1, 0)])
def test_a_tenth_is_held_out_of_files_that_are_short(tmp_path: Path, files: int, lines: int, parts: int) -> None:
    for number in range(files):
        (tmp_path / f"{number:02}.txt").write_text("\n".join(LINES[number * lines :][:lines]))
    splits = Counter(record.split for record in source(tmp_path, length=16).records())
    assert splits == Counter(train=files * lines - parts, test=parts)


def test_folders_that_name_one_side_alone_leave_nothing_to_be_held_out_by_chance(tmp_path: Path) -> None:
    for folder in ("plain", "train", "test"):
        for name in ("english", "latin"):
            (tmp_path / folder / folder / name).mkdir(parents=True)
            (tmp_path / folder / folder / name / "a.txt").write_text("\n".join(LINES))
    plain, *sides = (source(tmp_path / folder, length=16) for folder in ("plain", "train", "test"))
    wanted = [(record.label, record.split) for record in plain.records()]
    assert {split for _, split in wanted} == {"train", "test"}
    for side in sides:
        assert [(record.label, record.split) for record in side.records()] == wanted


def test_folders_of_splits_are_kept(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "a.txt").write_text("\n".join(LINES))
    assert Counter(record.split for record in source(tmp_path).records()).keys() == {"train", "test"}


def test_a_table_a_zip_and_gzip_hold_the_same_texts(tmp_path: Path) -> None:
    table = "\n".join(f"HD{number}\t{line}" for number, line in enumerate(LINES))
    (tmp_path / "a.tsv").write_text(table)
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(table.encode()))
    (tmp_path / "c.txt").write_text("\r\n\r\n".join(LINES))
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.write(tmp_path / "c.txt", "c.txt")
    one, *others = (texts_of(source(tmp_path / name)) for name in ("a.tsv", "b.tsv.gz", "c.txt", "d.zip"))
    assert one[0].startswith(f"{LINES[0]}\n\n{LINES[1]}") and all(other == one for other in others)
    assert [medium.name for medium in media_of(str(tmp_path / "b.tsv.gz")).values()] == ["text"]


def test_what_is_lost_is_no_text_and_what_was_supplied_is(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("1\tDis Mani[bus] / [3] fecit [...]\n2\tvixit ] annis\n")
    (read,) = texts_of(source(tmp_path / "a.tsv"))
    assert read == "Dis Manibus\n\ufffd\ufffd\ufffd fecit \ufffc\n\nvixit annis"
    (plain,) = texts_of(source(tmp_path / "a.tsv", marks="none"))
    assert "[bus] / [3]" in plain
    assert source(tmp_path / "a.tsv").fingerprint() != source(tmp_path / "a.tsv", marks="none").fingerprint()


def test_brackets_over_the_ends_of_lines_are_read_as_one_and_a_rule_is_an_empty_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Dis [...\n...\n] vixit\n-----\nann[is\ndecem] et\nM [ avia\n[...]\n\u200f- - -\nfecit [5]"
    )
    (read,) = texts_of(source(tmp_path / "a.txt"))
    assert read == f"Dis \ufffc vixit\n\nannis\ndecem et\nM avia\n\ufffc\n\nfecit {5 * chr(0xFFFD)}"
    (plain,) = texts_of(source(tmp_path / "a.txt", marks="none"))
    assert "-----" in plain and "[is\ndecem]" in plain


def test_files_that_cannot_be_read_are_left_out_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(LINES))
    (tmp_path / "b.txt").write_bytes("é".encode("latin-1") * 40)
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"text" * 99)[:-20])
    (tmp_path / "empty.txt").write_text(" \n")
    reasons = {}
    for record in source(tmp_path).records():
        try:
            record.read()
        except ValueError as error:
            reasons[record.name] = str(error)
    assert "windows-1252" in reasons["b.txt"] and "cut short" in reasons["c.txt.gz"]
    assert reasons["empty.txt"] == "it holds no text" and len(reasons) == 3
    read = texts_of(source(tmp_path / "b.txt", encoding="latin-1"))
    assert "".join(read) == "é" * 40


def test_a_source_says_of_how_many_files_and_which_others_it_passes_over(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("\n".join(LINES))
    (tmp_path / "scan.JPG").write_bytes(b"\xff\xd8")
    found = source(tmp_path)
    assert list(found.notes()) == ["The texts are parts of 2 files."]
    assert (found.ignored, found.ignored_endings) == (1, [".jpg"])
    assert list(source(tmp_path / "a.txt").notes()) == ["The texts are parts of 1 file."]


def test_the_embedded_passages_are_of_three_languages_and_scripts() -> None:
    found = source("lost-words")
    assert found.classes == ("english", "latin", "persian") and found.name == "lost-words"
    told = " ".join(texts_of(found))
    assert "summer's day" in told and "Gallia est omnis" in told and "بشنو این نی" in told


def test_a_folder_without_texts_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(b"PK")
    with pytest.raises(ValueError, match="holds no texts"):
        source(tmp_path)
