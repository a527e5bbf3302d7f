"""Runs that are watched while they are trained: a field whose own script asks for them, and what it is answered.

Not by events of gradio: of each of those the browser goes through all of the page, whichever tab is open.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib import resources
from threading import Lock
from typing import Any, NamedTuple

import gradio as gr
from pydantic import Field

from gannet import api
from gannet.schema import Options
from gannet.studio import actions, watching
from gannet.studio.answers import Json, answering
from gannet.studio.jobs import Jobs
from gannet.studio.settings import Settings

GLANCE = 2.0
"""Seconds from one look at a run to the next."""
PATIENCE = 60
"""How many times as long as drawing a run took it is not drawn again: a page may hardly slow what it shows."""
KEPT = 16
"""Choices of runs whose last drawing is kept for all pages."""


class Asked(Options):
    """What the script asks."""

    names: tuple[str, ...] = Field((), max_length=watching.MOST_BESIDE)
    """The runs that are watched."""
    shown: str = Field("", max_length=64)
    """The mark of what stands there already."""


class Drawn(NamedTuple):
    """Runs as they were drawn last.

    Attributes:
        stamps: of each its name, whether it was running, and what changes with its files.
        html, mark: what was drawn, and what tells it from another drawing.
        until: the time, as `time.monotonic` has it, before which they are drawn again only where one began or ended.
    """

    stamps: tuple[tuple[Any, ...], ...]
    html: str
    mark: str
    until: float


@dataclass
class Live:
    """The runs of a studio as its pages in a language watch them.

    Attributes:
        names: gives the runs that there are.
    """

    jobs: Jobs
    settings: Settings
    language: str
    names: Callable[[], Iterable[str]]
    _drawn: dict[tuple[str, ...], Drawn] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def field(self) -> Any:
        """Draw the field; its value are the names of the runs that it shows."""
        return gr.HTML(
            value=[],
            html_template='<div class="live"></div>',
            js_on_load=(resources.files("gannet.studio") / "live.js").read_text(encoding="utf-8"),
            server_functions=[answering(self.look)],
            apply_default_css=False,
            milliseconds=1000 * GLANCE,
            elem_id="train-view",
        )

    def look(self, given: Json) -> Json:
        """Answer the script: `html` and its `mark`, or nothing where that is shown already; see `Asked`."""
        asked, known = Asked(**given), set(self.names())
        names = tuple(name for name in asked.names if name in known)
        with self._lock:
            drawn = self._newest(names)
        return {} if drawn.mark == asked.shown else {"html": drawn.html, "mark": drawn.mark}

    def _newest(self, names: tuple[str, ...]) -> Drawn:
        """Draw runs anew where they changed and were not drawn just before."""
        before, now = self._drawn.pop(names, None), self._stamps(names)
        if before is None or self._changed(before, now):
            began = time.thread_time()
            html = self._html(names)
            until = time.monotonic() + PATIENCE * (time.thread_time() - began)
            before = Drawn(now, html, blake2b(html.encode(), digest_size=16).hexdigest(), until)
        self._drawn[names] = before
        if len(self._drawn) > KEPT:
            self._drawn.pop(next(iter(self._drawn)))
        return before

    def _changed(self, drawn: Drawn, now: tuple[tuple[Any, ...], ...]) -> bool:
        began_or_ended = [one[:2] for one in now] != [one[:2] for one in drawn.stamps]
        return began_or_ended or (now != drawn.stamps and time.monotonic() >= drawn.until)

    def _stamps(self, names: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
        return tuple((name, self.jobs.running(name), watching.stamp(self.settings.runs / name)) for name in names)

    def _html(self, names: Sequence[str]) -> str:
        """Give runs side by side; of one whose files cannot be read the reason."""
        parts = []
        for name in names:
            trouble = self.jobs.trouble(name)
            try:
                found: api.View = actions.view(name, self.settings, self.language)
                parts.append(watching.one_run(found, self.language, trouble))
            except ValueError as error:
                born = (self.settings.runs / name / "recipe.yaml").is_file()
                parts.append(watching.without_files(name, self.language, trouble or (str(error) if born else "")))
        return watching.beside(parts)
