"""Explore: pictures of seeds, a walk between two of them, sliders along directions, and a picture of one's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio import actions, bounds, work
from gannet.studio.blocks import DRAWN
from gannet.studio.places import ModelField, progress, results_field, said_field, stop_work, told
from gannet.studio.said import Said
from gannet.studio.settings import Settings
from gannet.studio.translation import translate
from gannet.studio.words import say

SHOWN, SLIDERS = 8, 5
"""Seeds in a row, and directions that have a slider."""
FARTHEST = 8.0
"""Standard deviations of a latent vector that a slider goes to either side."""
FRAMES = (8, 120, 40)
"""Pictures of a walk: the fewest, the most, and how many at first."""
FIRST = "fashion-mnist"
"""The beginning of the model's name that is chosen when the page opens."""
WORK: Mapping[str, Any] = {
    "api_visibility": "private",
    "concurrency_id": "work",
    "concurrency_limit": 8,
    "show_progress": "minimal",
}
"""How the page asks for what takes its turn."""
ASKED: Mapping[str, Any] = {"interactive": True}
"""Said of every field: of those that are drawn anew gradio takes some for results, which nobody may change."""


def build(settings: Settings, language: str) -> ModelField:
    """Build the tab; gives the field of models."""
    names = bounds.explored_names(settings)
    usual = next((name for name in names if name.startswith(FIRST)), names[0] if names else None)
    model = gr.Dropdown(names, value=usual, label=say(language, "explore.model"), elem_id="explore-model")

    @gr.render(inputs=[model], **DRAWN)  # type: ignore[untyped-decorator]
    def draw(name: str | None) -> None:
        if name:
            _Parts(name, settings, language).draw()
        else:
            gr.Markdown(say(language, "explore.none"))

    return ModelField(model, lambda: bounds.explored_names(settings))


@dataclass(frozen=True)
class _Parts:
    """The parts of the tab for one model."""

    name: str
    settings: Settings
    language: str

    def say(self, code: str, **values: object) -> str:
        """Give words of the tab."""
        return say(self.language, f"explore.{code}", **values)

    def draw(self) -> None:
        """Draw them, one below the other."""
        classes = self._classes()
        with gr.Row():
            first = gr.Number(
                0, label=self.say("first"), precision=0, minimum=0, elem_id="explore-first", min_width=120, **ASKED
            )
            label = gr.Dropdown(
                classes,
                value=next(iter(classes), None),
                label=self.say("class"),
                visible=bool(classes),
                min_width=160,
                **ASKED,
            )
            truncation = gr.Slider(
                0.1,
                1.5,
                value=1.0,
                step=0.05,
                label=self.say("truncation"),
                info=self.say("scaled"),
                min_width=220,
                **ASKED,
            )
            show = gr.Button(
                self.say("show"), variant="primary", elem_id="explore-show", min_width=140, elem_classes="beside-field"
            )
        common = [label, truncation]
        seeds, ends = self._draw_seeds(first)
        status = gr.Markdown(elem_id="explore-status")
        said = said_field(self.language, render=False)
        with gr.Accordion(self.say("picture"), open=False, elem_id="explore-picture"):
            given, begin = self._draw_picture(status, said)
        self._draw_walk([*ends, *common, given, begin], status, said)
        with gr.Accordion(self.say("directions"), open=True):
            self._draw_directions([ends[0], *common], status, said)
        said.render()
        gr.on(
            [show.click, first.submit, label.change, truncation.release],
            self.seeds,
            [first, *common],
            [status, seeds, said],
            **WORK,
        )

    def _classes(self) -> list[str]:
        about = api.interface(bounds.model_named(self.name, self.settings))
        return [str(one) for one in about["options"]["properties"].get("class", {}).get("examples", ())]

    def _draw_seeds(self, first: Any) -> tuple[Any, list[Any]]:
        """Draw the row of pictures, and the two fields that choosing one of them fills."""
        seeds = gr.Gallery(
            label=self.say("seeds"),
            columns=SHOWN,
            height="auto",
            object_fit="contain",
            allow_preview=False,
            interactive=False,
            buttons=[],
            elem_id="explore-seeds",
            elem_classes="drawn",
        )
        with gr.Row():
            which = gr.Radio(
                [(self.say("start"), "start"), (self.say("end"), "end")],
                value="start",
                label=self.say("becomes"),
                **ASKED,
            )
            start = gr.Number(
                0, label=self.say("from"), precision=0, minimum=0, elem_id="explore-from", min_width=100, **ASKED
            )
            end = gr.Number(
                1, label=self.say("to"), precision=0, minimum=0, elem_id="explore-to", min_width=100, **ASKED
            )

        def choose(event: gr.SelectData, first: int, which: str) -> tuple[Any, Any, str]:
            seed = int(first or 0) + int(event.index)
            return (seed, gr.skip(), "end") if which == "start" else (gr.skip(), seed, "end")

        seeds.select(choose, [first, which], [start, end, which], api_visibility="private", show_progress="hidden")
        return seeds, [start, end]

    def _draw_walk(self, given: Sequence[Any], status: Any, said: Any) -> None:
        """Draw the button that walks, and what it gives."""
        with gr.Row():
            frames = gr.Slider(FRAMES[0], FRAMES[1], value=FRAMES[2], step=1, label=self.say("frames"), **ASKED)
            walk = gr.Button(
                self.say("walk"), variant="primary", elem_id="explore-walk", min_width=160, elem_classes="beside-field"
            )
            stop = gr.Button(say(self.language, "stop"), variant="stop", min_width=100, elem_classes="beside-field")
        with gr.Row():
            with gr.Column(min_width=280):
                film = gr.Image(**_still(self.say("walked"), "explore-film"))
            with gr.Column(min_width=280):
                files = results_field(self.say("files"), "explore-files")
        walk.click(self.walk, [frames, *given], [status, film, files, said], **WORK)
        stop.click(stop_work, None, None, api_visibility="private", show_progress="hidden")

    def _draw_directions(self, given: Sequence[Any], status: Any, said: Any) -> None:
        """Draw a slider a direction, and the picture that follows them."""
        with gr.Row():
            with gr.Column(min_width=280):
                sliders = [
                    gr.Slider(
                        -FARTHEST,
                        FARTHEST,
                        value=0,
                        step=0.25,
                        label=self.say("direction", number=number),
                        elem_id=f"explore-direction-{number}",
                        **ASKED,
                    )
                    for number in range(1, SLIDERS + 1)
                ]
                reset = gr.Button(self.say("reset"))
            moved = gr.Image(**_still(self.say("moved"), "explore-moved"))
        reset.click(lambda: [0] * SLIDERS, None, sliders, api_visibility="private", show_progress="hidden")
        gr.on(
            [one.change for one in (*sliders, given[0])],
            self.move,
            [*given, *sliders],
            [status, moved, said],
            trigger_mode="always_last",
            **{**WORK, "show_progress": "hidden"},
        )

    def _draw_picture(self, status: Any, said: Any) -> tuple[Any, Any]:
        """Draw the field for a picture, and what was found; give the field, and whether to begin there."""
        gr.Markdown(self.say("about"))
        with gr.Row():
            picture = gr.Image(
                label=self.say("given"),
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard"],
                height=260,
                elem_id="explore-given",
                **ASKED,
            )
            found = gr.Image(**_still(self.say("found"), "explore-found"))
        with gr.Row():
            find = gr.Button(self.say("find"), elem_id="explore-find")
            begin = gr.Checkbox(False, label=self.say("begin"), elem_id="explore-begin", **ASKED)
        find.click(self.find, picture, [status, found, said], **WORK)
        return picture, begin

    def seeds(
        self, request: gr.Request, first: int, label: str | None, truncation: float
    ) -> Iterator[tuple[Any, Any, Any]]:
        """Draw the pictures of seeds in a row."""
        seeds = [int(first or 0) + number for number in range(SHOWN)]
        asked = {"seed": seeds[0], "to": seeds[1:], "frames": 2, **_common(label, truncation)}
        for line, made, said in self._steps(request, asked, "seeds"):
            captions = [self.say("seed", number=seed) for seed in seeds]
            yield line, [*zip(_pictures(made), captions, strict=True)] if made else gr.skip(), told(said)

    def walk(self, request: gr.Request, frames: int, start: int, end: int, *more: Any) -> Iterator[tuple[Any, ...]]:
        """Walk from a seed, or from what is nearest to a picture, to another seed."""
        label, truncation, picture, begin = more
        path = self._uploaded(picture) if begin else None
        # The class of a picture of one's own is what the search finds.
        common = _common(None if path else label, truncation)
        asked = {"seed": int(start or 0), "to": [int(end or 0)], "frames": int(frames), **common}
        for line, made, said in self._steps(request, asked, "walk.gif", path):
            if made:
                file = str(made.files[0])
                yield line, file, gr.File([file], visible=True), told(said)
            else:
                yield line, gr.skip(), gr.skip(), told(said)

    def move(
        self, request: gr.Request, start: int, label: str | None, truncation: float, *reach: float
    ) -> Iterator[tuple[Any, Any, Any]]:
        """Draw the start, moved along directions."""
        moves = [f"{number}={far:g}" for number, far in enumerate(reach, 1) if far]
        asked = {"seed": int(start or 0), **({"move": moves} if moves else {}), **_common(label, truncation)}
        for line, made, said in self._steps(request, asked, "moved.png"):
            yield line, str(made.files[0]) if made else gr.skip(), told(said)

    def find(self, request: gr.Request, picture: str | None) -> Iterator[tuple[Any, Any, Any]]:
        """Look for what is nearest to a picture, of any class."""
        path = self._uploaded(picture)
        for line, made, said in self._steps(request, {}, "found.png", path):
            yield line, str(made.files[0]) if made else gr.skip(), told(said)

    def _uploaded(self, picture: str | None) -> Path:
        try:
            if not picture:
                raise ValueError(self.say("missing"))
            return bounds.checked_files([picture])[0]
        except ValueError as error:
            raise work.mistake(error) from None

    def _steps(
        self, request: gr.Request, asked: Mapping[str, object], out: str, picture: Path | None = None
    ) -> Iterator[tuple[str, actions.Made | None, Said]]:
        """Explore, and tell how far it is; what was made last."""
        try:
            with actions.workplace(self.settings) as place:
                said, call = actions.explore(self.name, asked, picture, place / out, self.settings)
                for step in work.watch(str(request.session_hash), call):
                    # That it was saved the page shows itself.
                    known = [translate(self.language, line) for line in step.result.lines[1:]] if step.result else []
                    lines = "\n".join(f"- {line}" for line in known) if step.result else progress(step, self.language)
                    yield lines, step.result, said
        except Exception as error:
            raise work.mistake(error) from None


def _pictures(made: actions.Made) -> list[str]:
    """The files of all results."""
    return [str(file) for result in made.results for file in result.values()]


def _still(label: str, name: str) -> dict[str, Any]:
    """What a place for one drawn picture is like."""
    return {
        "label": label,
        "interactive": False,
        "height": 260,
        "buttons": ["download", "fullscreen"],
        "elem_id": name,
        "elem_classes": "drawn",
        "type": "filepath",
    }


def _common(label: str | None, truncation: float) -> dict[str, object]:
    """What is asked of every picture, where it is not as usual."""
    return {**({"class": [label]} if label else {}), **({"truncation": truncation} if truncation != 1 else {})}
