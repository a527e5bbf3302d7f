"""Work behind the page: it takes turns, and whoever asked for it alone may stop it."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Coroutine
from contextlib import contextmanager, suppress
from typing import Any, cast

import pytest
from PIL import UnidentifiedImageError

gr = pytest.importorskip("gradio")

from gradio.state_holder import SessionState  # noqa: E402

from gannet import api  # noqa: E402
from gannet.studio import work  # noqa: E402
from gannet.studio.blocks import NO_PICTURE, Page, until_answered  # noqa: E402
from gannet.studio.translation import translate  # noqa: E402

PATIENCE = 20


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What comes of a coroutine, in an event loop that is closed whoever has patched `asyncio.run`."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()


def until_stopped(tell: Any, stopping: Any) -> None:
    """Work that goes on until somebody stops it."""
    ended = threading.Event()
    while not stopping():
        ended.wait(0.01)
    raise api.Stopped("Stopped.")


def test_whoever_is_cancelled_stops_the_work_and_the_next_has_the_turn() -> None:
    async def both() -> int:
        first = asyncio.create_task(work.done("one", until_stopped))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(work.done("two", lambda tell, stopping: 7))  # noqa: ARG005
        await asyncio.sleep(0.1)
        assert not second.done(), "it waits"
        first.cancel()
        with suppress(asyncio.CancelledError):
            await first
        return await asyncio.wait_for(second, PATIENCE)

    assert finished(both()) == 7


def test_what_works_without_telling_anything_new_is_not_said_to_wait() -> None:
    def slow(tell: Any, stopping: Any) -> int:
        threading.Event().wait(3 * work.GLANCE)
        tell(api.Progress(1, 2), "Judging")
        threading.Event().wait(3 * work.GLANCE)
        return 7

    *under_way, last = work.watch("one", slow)
    assert {step.line("It waits.") for step in under_way} == {"…", "Judging · 1 / 2"} and last.result == 7


def test_what_waits_and_is_cancelled_never_begins() -> None:
    begun: list[str] = []

    async def three() -> None:
        first = asyncio.create_task(work.done("one", until_stopped))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(work.done("two", lambda tell, stopping: begun.append("two")))  # noqa: ARG005
        await asyncio.sleep(0.1)
        waiting.cancel()
        work.stop("one")
        with pytest.raises(api.Stopped):
            await asyncio.wait_for(first, PATIENCE)
        await asyncio.wait_for(work.done("three", lambda tell, stopping: begun.append("three")), PATIENCE)  # noqa: ARG005

    finished(three())
    assert begun == ["three"]


def test_a_tab_stops_its_own_work_alone() -> None:
    steps = work.watch("mine", until_stopped)
    next(steps)
    work.stop("another")
    work.stop(None)
    assert next(steps).result is None
    work.stop("mine")
    with pytest.raises(api.Stopped):
        list(steps)


def test_a_mistake_of_a_job_is_its_own() -> None:
    def wrong(tell: Any, stopping: Any) -> int:
        raise ValueError("That is wrong.")

    with pytest.raises(ValueError, match=r"That is wrong\."):
        finished(work.done("one", wrong))
    assert finished(work.done("one", lambda tell, stopping: 3)) == 3  # noqa: ARG005


@pytest.fixture
def page() -> Any:
    """A page with two fields; the event loops that gradio makes for its locks, and leaves open, go here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with Page(analytics_enabled=False) as built:
            gr.Textbox("first", label="one", info="about it")
            gr.Slider(0, 5, value=2, label="two")
        asyncio.set_event_loop(None)
        gc.collect()
    return built


def test_sessions_start_alike_and_share_nothing(page: Any) -> None:
    one, other = SessionState(page), SessionState(page)
    assert one.config_values == other.config_values
    for number, block in page.blocks.items():
        assert one.config_values[number] == page.default_config.config_for_block(number, [], block)
    field = next(number for number, block in page.blocks.items() if isinstance(block, gr.Textbox))
    one._update_value_in_config(field, "changed")
    assert other.config_values[field]["props"]["value"] == "first"
    assert SessionState(page).config_values[field]["props"]["value"] == "first"


def test_a_component_of_another_session_is_not_taken_for_the_pages_own(page: Any) -> None:
    session, field = SessionState(page), next(number for number in page.blocks)
    other = gr.Textbox("other", render=False)
    found = session.blocks_config.config_for_block(field, [], other)
    assert found["props"]["value"] == "other"


def test_a_part_that_is_drawn_meanwhile_disturbs_nobody_who_looks_through_the_page(page: Any) -> None:
    session = SessionState(page).blocks_config
    session.fns[0] = cast(Any, object())
    for parts in (cast("dict[int, Any]", session.blocks), cast("dict[int, Any]", session.fns)):
        before = len(parts)
        for number, part in enumerate(parts.values(), 10**6):
            parts[number] = part
        assert len(parts) == 2 * before


def test_results_stay_until_they_are_taken(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    @contextmanager
    def folder() -> Any:
        seen.append("made")
        yield
        seen.append("gone")

    async def process(self: Any) -> None:
        until_answered(folder())
        seen.append("taken")

    monkeypatch.setattr(gr.Blocks, "process_api", process)
    finished(page.process_api())
    assert seen == ["made", "taken", "gone"]


def test_a_picture_that_is_none_is_said_to_be_none_in_the_pages_language(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def process(*_: Any, **__: Any) -> None:
        raise ValueError("inner words") from UnidentifiedImageError("a path")

    page.language = "fa"
    monkeypatch.setattr(gr.Blocks, "process_api", process)
    with pytest.raises(gr.Error) as raised:
        finished(page.process_api())
    assert translate("fa", NO_PICTURE) in str(raised.value.message) and translate("fa", NO_PICTURE) != NO_PICTURE
