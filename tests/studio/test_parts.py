"""The studio's parts that need no page: words, sharing, what is said elsewhere, names that are looked at."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from gannet.studio import bounds
from gannet.studio.said import Said
from gannet.studio.settings import Settings, check_sharing
from gannet.studio.words import catalogue, direction, languages


def leaves(words: dict[str, Any], above: str = "") -> dict[str, str]:
    """Every code with what it says."""
    found: dict[str, str] = {}
    for name, value in words.items():
        found |= leaves(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return found


def gaps(text: str) -> set[str]:
    """The values that are filled into a text."""
    import string

    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_every_language_says_the_same_and_no_english(language: str) -> None:
    english, other = leaves(catalogue("en")), leaves(catalogue(language))
    assert english.keys() == other.keys()
    assert {code: gaps(text) for code, text in english.items()} == {code: gaps(text) for code, text in other.items()}
    assert not {code for code in english if english[code] == other[code]}


def test_persian_is_written_from_right_to_left() -> None:
    assert (direction("fa"), direction("en")) == ("rtl", "ltr")


@pytest.mark.parametrize(("share", "password"), [(True, ""), (True, "short"), (False, "a long password")])
def test_a_shared_page_has_a_password(share: bool, password: str) -> None:
    with pytest.raises(ValueError, match="--share-on-network|--password"):
        check_sharing(share, password)


def test_only_a_shared_page_listens_to_the_network() -> None:
    here = Settings(Path("runs"), Path(), Path("work"))
    assert here.host == "127.0.0.1" and Settings(here.runs, here.data, here.work, 0, "long enough").host == "0.0.0.0"


def test_what_is_said_runs_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said("apply", ["tiny"], {"num": 3, "class": "T-shirt/top", "out": "a b"})
    assert shlex.split(said.command()) == [
        "gannet",
        "apply",
        "tiny",
        "--num",
        "3",
        "--class",
        "T-shirt/top",
        "--out",
        "a b",
    ]
    seen: list[Any] = []
    monkeypatch.setattr("gannet.apply", lambda *words, **names: seen.append((words, names)), raising=False)
    exec(compile(said.python(), "said", "exec"), {})
    assert seen == [(("tiny",), {"num": 3, "class": "T-shirt/top", "out": "a b"})]


def test_what_is_said_of_judging_makes_its_options() -> None:
    said = Said("judge", ["tiny", "digits"], {"fast": True, "num": 60}, schema="JudgeOptions")
    seen: list[Any] = []
    names = {"api": None}
    from gannet import api

    code = said.python().replace("api.judge(", "judge(")
    exec(compile(code, "said", "exec"), {**names, "judge": lambda *words, query: seen.append((words, query))})
    assert seen == [(("tiny", "digits"), api.JudgeOptions(fast=True, num=60))]


def test_what_is_said_of_exploring_makes_its_options() -> None:
    options = {"seed": 3, "to": [7, 9], "class": ["Bag"], "out": "walk.gif"}
    said = Said("explore", ["tiny"], options, schema="ExploreOptions")
    assert said.command() == "gannet explore tiny --seed 3 --to 7 --to 9 --class Bag --out walk.gif"
    seen: list[Any] = []
    from gannet import api

    code = said.python().replace("api.explore(", "explore(")
    exec(compile(code, "said", "exec"), {"explore": lambda *words, **names: seen.append((words, names))})
    wanted = api.ExploreOptions(seed=3, to=(7, 9), label=("Bag",))
    assert seen == [(("tiny",), {"out": "walk.gif", "options": wanted})]


@pytest.mark.parametrize("name", ["../x.gif", "a/b", ".hidden", "", "x" * 99, "a b.png"])
def test_what_is_made_has_a_plain_name(name: str) -> None:
    assert bounds.new_name("walk.gif") == "walk.gif"
    with pytest.raises(ValueError, match="name"):
        bounds.new_name(name)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A studio that may name what lies in `data`."""
    for name in ("runs/one", "data/photos", "work", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "work"))
    return Settings(tmp_path / "runs", tmp_path / "data", tmp_path / "work")


def test_data_lie_in_their_folder(settings: Settings) -> None:
    assert bounds.data_named("photos", settings) == str(settings.data / "photos")
    assert bounds.data_named("digits", settings) == "digits"
    (settings.data / "out").symlink_to(settings.data.parent / "elsewhere")
    for word in ("../elsewhere", str(settings.data.parent), "out", "hf:a/b", "photos/../../elsewhere"):
        with pytest.raises(ValueError, match="lies outside"):
            bounds.data_named(word, settings)


def test_files_are_those_that_were_uploaded(settings: Settings) -> None:
    inside, outside = settings.work / "a.png", settings.data / "a.png"
    inside.write_bytes(b"x"), outside.write_bytes(b"x")
    (settings.work / "link.png").symlink_to(outside)
    assert bounds.checked_files([str(inside)]) == [inside]
    for path in (outside, settings.work / "link.png", settings.work, settings.work / "absent.png"):
        with pytest.raises(ValueError, match="is uploaded"):
            bounds.checked_files([str(path)])


def test_a_new_run_is_named_so_that_it_stays_in_its_folder(settings: Settings) -> None:
    assert bounds.new_run("", "digits", settings).name == "digits"
    (settings.runs / "digits").mkdir()
    assert bounds.new_run("", "digits", settings).name == "digits-2"
    for name in ("../x", "a/b", "a b", ".", "one"):
        with pytest.raises(ValueError, match="is no name|already"):
            bounds.new_run(name, "digits", settings)
