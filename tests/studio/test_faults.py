"""What goes wrong, many at once, and jobs that are left: the studio answers all, and is afterwards as it was before."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

Ask = Callable[..., Any]
Upload = Callable[..., list[dict[str, Any]]]
CALLS, AT_ONCE = 200, 40
GROWTH = 48
"""MiB that the process may have grown by after hostile calls: what an allocator keeps, and remembered sessions."""
ENDLESS = 50_000
"""Samples whose judgement takes longer than anybody here waits."""


def hostile(number: int) -> tuple[str, list[Any]]:
    """A call that nobody means well with, one of many kinds."""
    kinds: list[tuple[str, list[Any]]] = [
        ("apply", ["../" * (number % 40) + "etc/passwd", None, {}]),
        ("apply", ["tiny", None, {"num": 10 ** (number + 5)}]),
        ("apply", ["tiny", [{"path": f"/proc/{number}/environ"}], {}]),
        ("apply", ["tiny", None, {"class": "x" * 9_000, "seed": number}]),
        ("apply", ["tiny", None, [[[{"deep": number}]]]]),
        ("view", ["\u202e" * 5_000]),
        ("train", ["digits", f"../{number}", {}, ""]),
        ("train", ["digits", "", {"x" * 5_000: number}, "../out"]),
        ("judge", ["tiny", f"/{number}", {}]),
        ("judge", ["tiny", "", {"num": 10**6 + number}]),
        ("resume", [str(number), {"images": -number}]),
        ("doctor", ["hf:a/b@" + "c" * 5_000]),
        ("card", [number]),
    ]
    return kinds[number % len(kinds)]


def resident(process: int) -> float:
    """MiB of memory that a process holds."""
    facts = Path(f"/proc/{process}/status")
    if not facts.is_file():
        pytest.skip("this system does not tell in /proc what a process holds")
    line = next(line for line in facts.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def test_hostile_calls_leave_the_memory_as_it_was(ask: Ask, studio: Any) -> None:
    for number in range(36):  # What is loaded and compiled once is so from here on.
        name, data = hostile(number)
        ask(name, *data)
    before = resident(studio.process)
    for number in range(CALLS):
        name, data = hostile(number)
        answer = ask(name, *data)
        assert answer.status < 500 and answer.error and "\n" not in answer.error, (name, answer)
    assert resident(studio.process) - before < GROWTH
    assert "Traceback" not in studio.log.read_text()


def test_many_requests_at_once_are_all_answered_with_their_own_samples(ask: Ask, studio: Any) -> None:
    def sample(seed: int) -> bytes:
        answer = ask("apply", "tiny", None, {"seed": seed})
        assert answer.data, answer
        return httpx.get(answer.data[0][0]["url"], timeout=60).content

    with ThreadPoolExecutor(AT_ONCE) as threads:
        together = list(threads.map(sample, range(AT_ONCE)))
    assert len(set(together)) == AT_ONCE
    for seed in (0, 17, AT_ONCE - 1):
        assert sample(seed) == together[seed]


def test_a_job_of_the_api_is_cancelled_and_the_next_has_its_turn(ask: Ask, studio: Any) -> None:
    with httpx.Client(base_url=studio.url, timeout=60) as client:
        functions = client.get("/config").json()["dependencies"]
        (judging,) = [one["id"] for one in functions if one["api_name"] == "judge"]
        asked = {"data": ["tiny", "", {"num": ENDLESS}], "session_hash": "whoever"}
        event = client.post("/gradio_api/call/judge", json=asked).json()["event_id"]
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(ask, "apply", "tiny", None, {"seed": 1})
            time.sleep(3)
            assert not waiting.done(), "it waits for its turn"
            cancelled = {"session_hash": "whoever", "fn_index": judging, "event_id": event}
            assert client.post("/gradio_api/cancel", json=cancelled).json() == {"success": True}
            assert waiting.result(120).data


def test_a_training_that_is_killed_is_told_of_and_leaves_the_page_alive(ask: Ask, studio: Any) -> None:
    ask("train", "digits", "", {"images": 10**8, "network.width": 4, "batch": 16}, "doomed")
    seen = waited_for(ask, lambda run: run["images"] > 0)
    assert seen["training"]
    note = json.loads((studio.folder / "runs" / "doomed" / ".lock.json").read_text())
    os.kill(note["process"], signal.SIGKILL)
    seen = waited_for(ask, lambda run: not run["training"] and run["trouble"])
    assert "SIGKILL" in seen["trouble"] and not seen["finished"]
    assert "tiny" in ask("models").data[0]


def waited_for(ask: Ask, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What is seen of the doomed run once it is so."""
    until = time.monotonic() + 200
    while time.monotonic() < until:
        (seen,) = ask("view", "doomed").data
        if wanted(seen):
            return dict(seen)
        time.sleep(0.5)
    raise AssertionError(seen)


def test_broken_files_among_whole_ones_and_after_them(
    ask: Ask, upload: Upload, photograph: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    broken = ask("apply", "super-resolution-fast-v1", upload(tmp_path / "broken.png"), {})
    assert "broken.png" in broken.error
    assert ask("apply", "super-resolution-fast-v1", upload(photograph), {}).data
