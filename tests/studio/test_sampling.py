"""Requests for samples that wait together are drawn together, and nobody can tell by what they get."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

import gannet
from gannet import api
from gannet.studio import sampling
from gannet.studio.settings import Settings

Verb = Callable[[Any, Any], Any]


@pytest.fixture
def settings(tiny_run: Path, tmp_path: Path) -> Settings:
    """A studio whose only run is the tiny one."""
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tiny").symlink_to(tiny_run)
    return Settings(tmp_path / "runs", tmp_path, tmp_path / "work")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests were drawn together, each time."""
    counts: list[int] = []

    def draw(target: str, orders: Any) -> None:
        counts.append(len(orders))
        kept(target, orders)

    kept = sampling.draw_together
    monkeypatch.setattr(sampling, "draw_together", draw)
    return counts


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Verb]:
    """Let a request wait; give what serves it, and `alone` where it waits for nobody."""
    place, waiting = settings.work, sampling.Sampling(settings)
    place.mkdir()

    def wait(stack: ExitStack, alone: Any = None, **asked: object) -> Verb:
        own = place / str(len(list(place.iterdir())))
        own.mkdir()
        return stack.enter_context(waiting.shared("tiny", asked, own, alone))

    return wait


def contents(made: Any) -> dict[str, bytes]:
    """What lies in the files of an answer, by their names."""
    paths = [path for result in made.results for path in result.values()]
    folder = next(above for above in paths[0].parents if above.name == "results")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_they_get_the_files_that_each_would_get_alone(
    ask: Callable[..., Verb], drawn: list[int], settings: Settings, tmp_path: Path
) -> None:
    asked: list[dict[str, Any]] = [{"seed": 5}, {"seed": 5, "num": 3}, {"num": 64, "seed": 9}, {"seed": 0, "num": 1}]
    with ExitStack() as stack:
        verbs = [ask(stack, **one) for one in asked]
        made = [verb(None, None) for verb in reversed(verbs)][::-1]
    assert drawn == [4]
    for number, (one, found) in enumerate(zip(asked, made, strict=True)):
        alone = tmp_path / f"alone-{number}"
        gannet.apply(settings.runs / "tiny", out=alone, **one)
        files = {path.relative_to(alone).as_posix(): path.read_bytes() for path in alone.rglob("*.png")}
        assert contents(found) == files and len(files) == one.get("num", 1)
        assert found.lines == (f"Saved {len(files)} result{'s' * (len(files) != 1)} in results.",)


def test_those_who_ask_otherwise_do_not_share(ask: Callable[..., Verb], drawn: list[int]) -> None:
    with ExitStack() as stack:
        plain, other, last = ask(stack, seed=1), ask(stack, seed=1, engine="torch"), ask(stack, seed=2)
        for verb in (plain, other, last):
            verb(None, None)
    assert drawn == [2, 1]


def test_whoever_is_gone_is_not_drawn_for(ask: Callable[..., Verb], drawn: list[int]) -> None:
    with ExitStack() as stack:
        with ExitStack() as gone:
            ask(gone, seed=3)
        ask(stack, seed=4)(None, None)
    assert drawn == [1]


def test_a_folder_that_is_gone_spoils_nothing_for_the_others(ask: Callable[..., Verb], settings: Settings) -> None:
    with ExitStack() as stack:
        left, here = ask(stack, seed=3), ask(stack, seed=4)
        (settings.work / "0").rmdir()
        assert here(None, None).files
        with pytest.raises(FileNotFoundError):
            left(None, None)
        assert not (settings.work / "0").exists()


def test_what_is_wrong_is_told_each_of_them(ask: Callable[..., Verb]) -> None:
    with ExitStack() as stack:
        for verb in [ask(stack, seed=seed, colour="red") for seed in (1, 2)]:
            with pytest.raises(ValueError, match="has no colour"):
                verb(None, None)


@pytest.mark.parametrize(
    "asked", [{"num": 65}, {"num": 2, "frames": 3}, {"num": "3"}, {"num": True}, {"num": 0}, {"num": 10**40}]
)
def test_much_walks_and_nonsense_are_done_alone(ask: Callable[..., Verb], asked: dict[str, object]) -> None:
    alone = object()
    with ExitStack() as stack:
        assert ask(stack, alone, **asked) is alone


def test_no_more_is_drawn_at_once_than_others_may_wait_for(
    ask: Callable[..., Verb], drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "MOST_TOGETHER", 5)
    with ExitStack() as stack:
        for verb in [ask(stack, seed=seed, num=2) for seed in range(5)]:
            assert len(verb(None, None).results) == 2
    assert drawn == [2, 2, 1]


def test_values_are_the_same_to_the_bit_across_batches(tiny_run: Path) -> None:
    model: Any = api.load(tiny_run)
    asked = [model.options({"num": num, "seed": seed}) for seed, num in enumerate((1, 63, 2, 70, 5))]
    for options, together in zip(asked, model.draw_together(asked), strict=True):
        alone = model.draw(options)
        assert together.values.equal(alone.values) and together.facts == alone.facts
        assert (together.labels is None) == (alone.labels is None)
