"""What is taken for the ending of a format, and what other programs call things."""

import re
from pathlib import Path

import pytest

from gannet.commands.recipes import recipe_keys
from gannet.recipe import Recipe
from gannet.runtime.names import at_home, file_ending, format_ending, whole_stem, whole_suffix
from gannet.runtime.other_names import OTHER_NAMES, called_here


def test_a_path_in_a_home_of_nobody_is_refused_and_others_are_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("USERPROFILE", "/home/somebody")
    assert at_home("~/a") == Path("/home/somebody/a") and at_home("a/~b") == Path("a/~b")
    with pytest.raises(ValueError, match=r"^There is no home folder for ~nobody-of-that-name/a; name it in full\.$"):
        at_home("~nobody-of-that-name/a")


@pytest.mark.parametrize(
    ("name", "stem", "ending"),
    [
        ("a/sub-01.T1w.NII.gz", "sub-01.T1w", ".NII.gz"),
        ("a.b/photo.jpg", "photo", ".jpg"),
        ("packed.gz", "packed", ".gz"),
        ("none", "none", ""),
        (".hidden", ".hidden", ""),
    ],
)
def test_the_ending_of_a_packed_file_is_all_of_it(name: str, stem: str, ending: str) -> None:
    assert (whole_stem(name), whole_suffix(Path(name)), file_ending(name)) == (stem, ending, ending.lower())


def test_a_known_ending_of_a_packed_file_is_a_format_and_an_unknown_one_is_none() -> None:
    assert format_ending(Path("x.NII.gz"), [".nii.gz"]) == ".nii.gz" and format_ending(Path("x.nii.gz")) == ""


@pytest.mark.parametrize("name", ["grid.PNG", "a.b.zip", "grid.pgn", "x.xyz", "table.parquet", "scan.tiff"])
def test_what_looks_like_a_format_is_its_ending(name: str) -> None:
    assert format_ending(Path(name)) == "." + name.split(".")[-1].lower()


@pytest.mark.parametrize(
    "name", ["x", "x_s0.3", "v1.2-final", "run.2024-01", "photos.v2", ".hidden", "lr1e-3.5", "a.b c"]
)
def test_any_other_dot_begins_none(name: str) -> None:
    assert format_ending(Path(name)) == ""


def test_a_medium_may_have_endings_of_its_own() -> None:
    assert format_ending(Path("a.v2"), {".v2"}) == ".v2"


@pytest.mark.parametrize(
    ("word", "here"),
    [("epochs", "images"), ("--batch-size", "batch"), ("LR", "learning_rate"), ("num_wrokers", "by all cores")],
)
def test_the_words_of_others_are_known(word: str, here: str) -> None:
    assert here in called_here(word, Recipe.model_fields)


@pytest.mark.parametrize("word", ["images", "imagse", "devices", "btach", "checkpoints", "nonsense"])
def test_a_slip_in_a_word_of_ours_is_none_of_theirs(word: str) -> None:
    assert not called_here(word, Recipe.model_fields)


def test_what_they_are_told_exists() -> None:
    """Each key that the table names is one of a recipe's, and no word of others stands in it twice."""
    known = {key.name for name in ("digits", "super-resolution") for key in recipe_keys(name)}
    told = [key for here in OTHER_NAMES for key in re.findall(r"^[a-z]+(?==)|\b[a-z]+\.[a-z_0-9.]*[a-z0-9]", here)]
    assert len(told) > 20 and not set(told) - known
    words = [word for some in OTHER_NAMES.values() for word in some.split()]
    assert len(words) == len(set(words))
