"""The studio as a browser and a program see it. A table for each of what is asked for.

    python benchmarks/studio.py --learn --start --stroke --requests --watched

- `--learn`: of the tab on the game, pictures a second at the usual speed, and the processor time that one takes in the
  studio and in the browser, which tells what other machines would show.
- `--start`: seconds from `gannet studio` to a page that can be used.
- `--stroke`: from the end of a brush stroke to the picture that follows it, 256x192.
- `--requests`: a hundred programs that each want a sample of one model at once, against one alone.
- `--watched`: a training whose page is open against the same one unwatched, in turns.

Needs gradio, and but for `--requests` playwright and a chromium. Two cores that do nothing else, or believe no row: the
load before each table is told.
"""

import argparse
import asyncio
import datetime
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Read when gradio is imported.

SECONDS, WARM_UP = 20, 5
"""Of watching the game, after some in which the referee has its first looks."""
PATIENCE = 240
"""Seconds that anything may take."""
STARTS, STROKES, ALONE, TOGETHER = 5, 30, 15, 100
"""How often the studio is started, a stroke painted, one request sent alone; and how many are sent at once."""
PAINTER, GENERATOR = "landscapes-v1", "fashion-mnist-v1"
PAIRS, BLOCK, SETTLING = 8, 25, 5
"""Of blocks with and without a page, seconds of one, and those at its beginning that do not count."""
FOLLOWED = """
    window.strokes = [];
    const painted = document.querySelector("#painted");
    const address = () => painted.querySelector("img")?.src;
    document.querySelector("#map canvas").addEventListener("pointerup", () => {
        const before = address(), began = performance.now();
        const watcher = new MutationObserver(async () => {
            if (!address() || address() === before) return;
            watcher.disconnect();
            await painted.querySelector("img").decode();
            window.strokes.push(performance.now() - began);
        });
        watcher.observe(painted, { subtree: true, childList: true, attributes: true });
    }, true);
"""
"""Notes for every stroke the milliseconds from its end until another picture is there, decoded."""


class Studio(NamedTuple):
    """A studio in a process of its own: its page, the folder that its runs lie in, and when it was asked to start."""

    url: str
    runs: Path
    begun: float


@contextmanager
def studio() -> Iterator[Studio]:
    """Start a studio with no runs, and stop it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        begun, log = time.perf_counter(), Path(folder) / "log.txt"
        out = stack.enter_context(log.open("wb"))
        words = [sys.executable, "-m", "gannet", "studio", "--port", "0"]
        process = subprocess.Popen(words, cwd=folder, stdout=out, stderr=subprocess.STDOUT)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)
        while not log.read_text().startswith("The studio is at "):
            if process.poll() is not None or time.perf_counter() - begun > PATIENCE:
                raise RuntimeError(f"The studio did not start: {log.read_text()}")
            time.sleep(0.01)
        yield Studio(log.read_text().split()[4], Path(folder) / "runs", begun)


@contextmanager
def chromium() -> Iterator[Any]:
    """Open a browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: Any, url: str) -> Any:
    """Open the page and wait until it can be used."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(url)
    page.wait_for_selector("#use-start")
    return page


def told(load: float) -> str:
    """Say on what machine, when, and how busy that was before."""
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    return f"{machine}, load before {load:.1f}, Python {platform.python_version()}, {datetime.date.today()}"


def percentile(values: Sequence[float], percent: int) -> float:
    """Give the smallest of the values that so many percent do not exceed."""
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def serve_tab() -> Any:
    """Serve the tab on the game alone; give the page, which knows its address."""
    import gradio as gr

    from gannet.studio.learn import build

    with gr.Blocks(analytics_enabled=False) as page:
        build("en")
    page.launch(prevent_thread_lock=True, quiet=True)
    return page


def browser_seconds() -> float:
    """Processor seconds of all processes below this one: of the browser and its driver."""
    parents, spent = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            facts = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # It has ended meanwhile.
            continue
        number = int(folder.name)
        parents[number], spent[number] = int(facts[1]), (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")
    below = {os.getpid()}
    while more := {number for number, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(spent[number] for number in below - {os.getpid()})


def learn() -> None:
    served = serve_tab()
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(served.local_url, timeout=1000 * PATIENCE)
        page.wait_for_selector('.learn:not([data-frames="0"])', timeout=1000 * PATIENCE)
        page.click('[data-act="toggle"]')
        page.wait_for_timeout(1000 * WARM_UP)

        def shown() -> tuple[int, float, float, float]:
            frames = int(page.get_attribute(".learn", "data-frames") or 0)
            return frames, time.perf_counter(), time.process_time(), browser_seconds()

        before = shown()
        page.wait_for_timeout(1000 * SECONDS)
        frames, wall, spent, seen = (after - first for after, first in zip(shown(), before, strict=True))
    served.close()
    print("| pictures a second | ms of the studio a picture | ms of the browser a picture |\n|---|---|---|")
    print(f"| {frames / wall:.1f} | {1000 * spent / frames:.1f} | {1000 * seen / frames:.1f} |")


def start() -> None:
    """The first start, which reads files from disk, is told apart from the others."""
    found = []
    with chromium() as browser:
        for _ in range(STARTS):
            with studio() as served:
                answered = time.perf_counter() - served.begun
                opened(browser, served.url).close()
                found.append((answered, time.perf_counter() - served.begun))
    print("| start | to its address, s | to a page that can be used, s |\n|---|---|---|")
    print(f"| the first | {found[0][0]:.1f} | {found[0][1]:.1f} |")
    rest = [statistics.median(times) for times in zip(*found[1:], strict=True)]
    print(f"| median of {len(found) - 1} more | {rest[0]:.1f} | {rest[1]:.1f} |")


def stroke() -> None:
    with studio() as served, chromium() as browser:
        page = opened(browser, served.url)
        page.click("#use-model input")
        page.fill("#use-model input", PAINTER)
        page.get_by_role("option", name=PAINTER, exact=True).first.click()
        page.wait_for_selector("#painted img")  # The first picture, for which the model is loaded.
        page.evaluate(FOLLOWED)
        canvas = page.locator("#map canvas").first.bounding_box()
        for number in range(STROKES + 1):
            _paint(page, canvas, number)
            page.wait_for_function(f"window.strokes.length > {number}")
        found = page.evaluate("window.strokes")[1:]
    print("| strokes | to the picture, ms, median | 95th percentile | slowest |\n|---|---|---|---|")
    print(f"| {len(found)} | {statistics.median(found):.0f} | {percentile(found, 95):.0f} | {max(found):.0f} |")


def _paint(page: Any, canvas: Any, number: int) -> None:
    """Paint a stroke of another colour and place than the last."""
    brushes = page.locator("#map input[type=radio]")
    brushes.nth(1 + number % (brushes.count() - 1)).check(force=True)  # The first fills the map already.
    left, top = canvas["x"] + canvas["width"] / 8, canvas["y"] + canvas["height"] * (1 + number % 7) / 9
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + canvas["width"] / 2, top, steps=5)
    page.mouse.up()


def answered(stream: str) -> bool:
    """Tell whether an endpoint's stream of events ends with a result that names a file."""
    name, _, data = stream.rstrip().split("\n\n")[-1].partition("\ndata: ")
    return name == "event: complete" and bool(json.loads(data)[0])


async def sample(client: Any, seed: int) -> tuple[float, bool]:
    """Ask for a sample of a seed; give the seconds until it is there, and whether it is."""
    from httpx import HTTPError

    begun, came = time.perf_counter(), False
    asked = {"data": [GENERATOR, None, {"num": 1, "seed": seed}]}
    with suppress(HTTPError, KeyError):  # Whoever is refused, or whose line breaks off, is not answered.
        event = (await client.post("/gradio_api/call/apply", json=asked)).json()["event_id"]
        came = answered((await client.get(f"/gradio_api/call/apply/{event}")).text)
    return time.perf_counter() - begun, came


async def ask_all(url: str) -> tuple[list[float], list[tuple[float, bool]]]:
    """Ask one after the other, then all at once; give the seconds of the former, and what the latter got."""
    import httpx

    bounds = httpx.Limits(max_connections=None, keepalive_expiry=PATIENCE)
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=bounds) as client:
        await sample(client, 0)  # For which the model is loaded.
        alone = [(await sample(client, seed))[0] for seed in range(ALONE)]
        return alone, await asyncio.gather(*(sample(client, seed) for seed in range(TOGETHER)))


def requests() -> None:
    with studio() as served:
        alone, found = asyncio.run(ask_all(served.url))
    usual, taken = statistics.median(alone), [seconds for seconds, came in found if came]
    row = [f"{len(taken)} of {len(found)}", f"{1000 * usual:.0f}"]
    row += [f"{1000 * percentile(taken, percent):.0f}" for percent in (50, 95)]
    row += [f"{percentile(taken, percent) / usual:.1f}" for percent in (50, 95)]
    print("| answered | one alone, ms | of all, 50th percentile, ms | 95th, ms | times one alone, 50th | 95th |")
    print(f"|---|---|---|---|---|---|\n| {' | '.join(row)} |")


def rate(log: str) -> float:
    """Images a second of a training between the first and the last of some lines of its log."""
    lines = [json.loads(line) for line in log.splitlines()]
    timed = [(line["images"], line["clock"]["seconds"]) for line in lines if "clock" in line]
    return float((timed[-1][0] - timed[0][0]) / (timed[-1][1] - timed[0][1]))


def slower(watched: Sequence[float], unwatched: Sequence[float]) -> float:
    """Give by how many percent watching slows a training: the median over pairs of blocks that follow each other."""
    return statistics.median(100 * (1 - with_page / alone) for with_page, alone in zip(watched, unwatched, strict=True))


def block(log: Path) -> float:
    """The rate of a training during a block from now on."""
    time.sleep(SETTLING)
    before = log.stat().st_size
    time.sleep(BLOCK)
    with log.open("rb") as file:
        file.seek(before)
        return rate(file.read().rpartition(b"\n")[0].decode())


@contextmanager
def training(runs: Path) -> Iterator[Path]:
    """Train digits for as long as it takes; give the log."""
    changes = ["--set", f"images={10**9}", "--set", "log.every=640"]
    words = [sys.executable, "-m", "gannet", "train", "digits", "--out", str(runs / "digits"), *changes]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        log = runs / "digits" / "log.jsonl"
        while not (log.is_file() and log.stat().st_size):
            time.sleep(0.5)
        yield log
    finally:
        process.terminate()
        process.wait(60)


def watched() -> None:
    found: list[tuple[float, float]] = []
    with studio() as served, chromium() as browser, training(served.runs) as log:
        for _ in range(PAIRS):
            page = opened(browser, served.url)
            page.get_by_role("tab", name="Train", exact=True).click()
            page.wait_for_selector("#train-view .run h3")
            seen = block(log)
            page.close()
            found.append((seen, block(log)))
    rates = [list(one) for one in zip(*found, strict=True)]
    print("| blocks | images/s watched, median | unwatched | slower, %, median of pairs |\n|---|---|---|---|")
    told = " | ".join(f"{statistics.median(one):,.0f}" for one in rates)
    print(f"| {len(found)} pairs of {BLOCK} s | {told} | {slower(*rates):.1f} |")


PARTS: dict[str, Callable[[], None]] = {
    "learn": learn,
    "start": start,
    "stroke": stroke,
    "requests": requests,
    "watched": watched,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in PARTS:
        parser.add_argument(f"--{name}", action="store_true")
    asked = [name for name, wanted in vars(parser.parse_args()).items() if wanted]
    for name in asked or PARTS:
        print(f"\n{name}: {told(os.getloadavg()[0])}\n")
        PARTS[name]()


if __name__ == "__main__":
    main()
