"""The studio as a browser sees it. A table.

    python benchmarks/studio.py --learn

Of the tab on the game: pictures a second at the usual speed, and the processor time that one takes in the studio and in
the browser, which tells what other machines would show. Needs gradio, playwright and a chromium.
"""

import argparse
import datetime
import os
import platform
import shutil
import time
from pathlib import Path
from typing import Any

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # Read when gradio is imported.

SECONDS, WARM_UP = 20, 5
"""Of watching, after some in which the referee has its first looks."""


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
    from playwright.sync_api import sync_playwright

    served = serve_tab()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(served.local_url, timeout=120_000)
        page.wait_for_selector('.learn:not([data-frames="0"])', timeout=120_000)
        page.click('[data-act="toggle"]')
        page.wait_for_timeout(1000 * WARM_UP)

        def shown() -> tuple[int, float, float, float]:
            frames = int(page.get_attribute(".learn", "data-frames") or 0)
            return frames, time.perf_counter(), time.process_time(), browser_seconds()

        before = shown()
        page.wait_for_timeout(1000 * SECONDS)
        frames, wall, studio, seen = (after - first for after, first in zip(shown(), before, strict=True))
        browser.close()
    served.close()
    machine = f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}, {datetime.date.today()}\n")
    print("| pictures a second | ms of the studio a picture | ms of the browser a picture |\n|---|---|---|")
    print(f"| {frames / wall:.1f} | {1000 * studio / frames:.1f} | {1000 * seen / frames:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learn", action="store_true", required=True)
    parser.parse_args()
    learn()


if __name__ == "__main__":
    main()
