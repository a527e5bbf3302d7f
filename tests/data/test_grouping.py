"""A regular expression of a user's is tried where it can be stopped."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gannet.commands.train import configure, prepare, split_of
from gannet.data import grouping
from gannet.data.grouping import check_group
from gannet.data.sources import open_source


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*!", "(.*.*.*.*.*.*)!"])
def test_an_expression_that_takes_for_ever_is_refused(pattern: str, write_pictures, monkeypatch) -> None:
    monkeypatch.setattr(grouping, "SECONDS", 0.7)
    folder = write_pictures("a" * 60 + "b.png", "c.png")
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"data\.group=.* takes too long on the names of .*; leave out repetitions"):
        check_group(open_source(str(folder)), pattern)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("pattern", ["^([^/]+)/", "(.+)-", "(p[0-9]+)", "(é)"])
def test_usual_expressions_pass(pattern: str, write_pictures) -> None:
    folder = write_pictures("ann/1.png", "bob-é/p2.png")
    check_group(open_source(str(folder)), pattern)
    check_group(open_source("digits"), "")


def test_names_that_are_not_utf8_are_looked_at(tmp_path: Path, write_pictures) -> None:
    folder = write_pictures("1.png", "2.png")
    (folder / "1.png").rename(folder / "\udcff1.png")
    check_group(open_source(str(folder)), "(.)")


def test_what_the_other_process_cannot_do_is_refused_without_its_words(write_pictures, monkeypatch, capfd) -> None:
    monkeypatch.setattr(grouping, "MATCH", "import sys; print('here'); sys.exit('Traceback')")
    with pytest.raises(ValueError, match=r"data\.group=.* cannot be looked for in the names of .*; give a simpler"):
        check_group(open_source(str(write_pictures("1.png", "2.png"))), "(.)")
    assert capfd.readouterr() == ("", "")


def test_a_new_cache_is_made_after_one_trial(write_pictures, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GANNET_CACHE", str(tmp_path / "cache"))
    tried = []
    monkeypatch.setattr(grouping, "_try", lambda pattern, *_: tried.append(pattern) or "")
    folder = write_pictures(*(f"{index % 4}-{index}.png" for index in range(8)))
    recipe = configure("images", folder, {"data.group": "(.)-", "data.size": 8, "device": "cpu"}, "")
    split_of(prepare(recipe))
    assert tried == ["(.)-"]
