"""A run as HTML: how far it is, what is said of it, its samples beside reals, its curves; nothing is fetched."""

import base64
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from gannet import api
from gannet.runtime.wording import about
from gannet.studio.translation import translate
from gannet.studio.words import say

TYPED = re.compile("`([^`]+)`")
"""What is typed, within a sentence."""
MOST_BESIDE = 3
"""Runs that are compared at once."""


def stamp(folder: Path) -> tuple[float, ...]:
    """Give what changes when a run's files do."""
    names = ("log.jsonl", "verdict.json", "judgement.json", "judgements.jsonl", "samples", ".lock.json", "recipe.yaml")
    return tuple(_changed(folder / name) for name in names)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def beside(parts: Sequence[str]) -> str:
    """Give runs side by side where there is room."""
    return f'<div class="runs">{"".join(parts)}</div>'


def one_run(found: "api.View", language: str, trouble: str = "") -> str:
    """Give a run."""
    parts = [
        f"<h3>{escape(found.folder.name)} <small>{escape(translate(language, found.task))}</small></h3>",
        _progress(found, language),
        f'<p class="trouble" dir="auto">{escape(translate(language, trouble))}</p>' if trouble else "",
        f'<p class="said {escape(found.kind)}" dir="auto">{escape(translate(language, found.near))}</p>',
        "".join(f'<p class="game" dir="auto">{_marked(words)}</p>' for words in found.verdict),
        _pictures(found, language),
        f'<div class="charts">{"".join(found.charts)}</div>',
    ]
    return f'<section class="run">{"".join(parts)}</section>'


def _marked(words: str) -> str:
    """Give a sentence as HTML, in which only what is typed, between backticks, is marked."""
    return TYPED.sub(r"<code>\1</code>", escape(words))


def without_files(name: str, language: str, trouble: str) -> str:
    """Give a run that was started and has no folder yet, or will never have one."""
    words = translate(language, trouble) if trouble else say(language, "train.preparing")
    kind = "trouble" if trouble else "game"
    return f'<section class="run"><h3>{escape(name)}</h3><p class="{kind}" dir="auto">{escape(words)}</p></section>'


def _progress(found: "api.View", language: str) -> str:
    share = min(1.0, found.images / max(1, found.total))
    state = "running" if found.process else "finished" if found.finished else "stopped"
    lasts = translate(language, about(found.seconds_left))
    left = say(language, "train.left", left=lasts) if found.process and found.seconds_left else ""
    seen = say(language, "train.seen", images=f"{found.images:,}", total=f"{found.total:,}")
    return (
        f'<progress max="1" value="{share:.4f}" aria-label="{escape(seen)}"></progress>'
        f'<p class="state">{escape(say(language, f"train.{state}"))} · {escape(seen)} {escape(left)}</p>'
    )


def _pictures(found: "api.View", language: str) -> str:
    shown = [(found.sheet, say(language, "train.samples")), (found.reals, say(language, "train.reals"))]
    figures = [_figure(path, words) for path, words in shown if path]
    return f'<div class="beside">{"".join(figures)}</div>' if figures else ""


def _figure(path: Path, words: str) -> str:
    try:
        content = base64.b64encode(path.read_bytes()).decode()
    except OSError:  # A newer one took its place.
        return ""
    words = escape(words)
    return f'<figure><img src="data:image/png;base64,{content}" alt="{words}"><figcaption>{words}</figcaption></figure>'
