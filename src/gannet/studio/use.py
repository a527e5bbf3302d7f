"""Use: a model, what it is given, what may be asked of it, and what it made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio import actions, bounds, drawing, work
from gannet.studio.forms import Form
from gannet.studio.said import Said
from gannet.studio.settings import Settings
from gannet.studio.widgets import widget
from gannet.studio.words import say

FIRST = re.compile(r"super-resolution-v\d+")
"""The model that is chosen when the page opens: everybody has a photograph."""


@dataclass(frozen=True)
class Field:
    """An input of a model on the page.

    Attributes:
        name: of the input.
        medium: its medium's name.
        component: what is put in.
        way: `file`, `over` where it is drawn over the first input, or `map`.
    """

    name: str
    medium: str
    component: Any
    way: str = "file"

    def given(self, value: Any, first: Sequence[Path]) -> list[Path]:
        """Give what was put in or drawn, as files."""
        if self.way == "map":
            return drawing.given_map(value)
        if self.way == "over":
            return drawing.given_over(self.name, value, first[0]) if first else []
        return list(widget(self.medium).given(value))


def build(settings: Settings, language: str) -> None:
    """Build the tab."""
    names = list(bounds.models_by_name(settings))
    usual = next(filter(FIRST.fullmatch, names), names[0] if names else None)
    with gr.Row():
        model = gr.Dropdown(names, value=usual, label=say(language, "use.model"), elem_id="use-model", scale=4)
        again = gr.Button(say(language, "use.refresh"), scale=1, min_width=120)
    again.click(lambda: gr.Dropdown(list(bounds.models_by_name(settings))), None, model, api_visibility="private")

    @gr.render(inputs=[model])  # type: ignore[untyped-decorator]
    def draw(name: str | None) -> None:
        if name:
            _draw(name, settings, language)


def _draw(name: str, settings: Settings, language: str) -> None:
    """Draw what a model takes and makes."""
    target = bounds.model_named(name, settings)
    about = api.interface(target)
    colours = _colours(name, settings)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300, elem_id="use-fields"):
            fields = [_ask(one, wanted, colours, language) for one, wanted in about["inputs"].items()]
            form = Form.of_schema(about["options"])
            with gr.Accordion(say(language, "use.options"), open=not fields):
                asked = form.draw()
            with gr.Row():
                start = gr.Button(say(language, "use.start"), variant="primary", elem_id="use-start")
                stop = gr.Button(say(language, "stop"), variant="stop", elem_id="use-stop")
        with gr.Column(min_width=300):
            status = gr.Markdown(elem_id="use-status")
            place = widget(next(iter(about["outputs"].values()))).show(say(language, "use.result"), f"{name}-result")
            files = results_field(say(language, "use.files"), "use-files")
            said = said_field(language)
    _lay_editors(fields)
    work_on = _Applying(name, about, fields, form, settings, language)
    start.click(
        work_on.make,
        [*(field.component for field in fields), *asked],
        [status, place, files, said],
        api_visibility="private",
        concurrency_id="work",
        concurrency_limit=8,
        show_progress="minimal",
    )
    stop.click(stop_work, None, None, queue=False, api_visibility="private")


def results_field(label: str, name: str) -> Any:
    """Draw a place for files to keep, which is seen once there are some."""
    return gr.File(label=label, file_count="multiple", interactive=False, visible=False, elem_id=name)


def said_field(language: str, render: bool = True) -> Any:
    """Draw a place for what does the same elsewhere, which is seen once something was done."""
    label = say(language, "said")
    return gr.Code(label=label, language="shell", interactive=False, lines=2, visible=False, render=render)


def told(said: Said) -> Any:
    """Fill that place."""
    return gr.Code(said.both(), visible=True)


def stop_work(request: gr.Request) -> None:
    """Stop what this tab asked for last."""
    work.stop(request.session_hash)


def _colours(name: str, settings: Settings) -> dict[str, str]:
    """The brushes of a model that paints maps; none of any other."""
    folder = next((one.folder for one in api.models(settings.runs) if Path(one.name).name == name), None)
    return drawing.brushes(folder) if folder else {}


def _ask(name: str, about: Mapping[str, Any], colours: Mapping[str, str], language: str) -> Field:
    """Draw an input: what is drawn, or a field for files of its medium."""
    label = name.replace("_", " ") + ("" if about["required"] else f" ({say(language, 'use.optional')})")
    if drawing.is_drawn(name):
        return Field(name, about["medium"], drawing.ask_over(name, label, about["about"]), "over")
    if name == drawing.MAP and colours:
        gr.HTML(drawing.legend(colours))
        return Field(name, about["medium"], drawing.ask_map(label, colours), "map")
    return Field(name, about["medium"], widget(about["medium"]).ask(label, about))


def _lay_editors(fields: Sequence[Field]) -> None:
    """Lay the first input under what is drawn over it, as soon as it is there."""
    for field in fields:
        if field.way == "over":
            fields[0].component.change(
                drawing.lay_under,
                fields[0].component,
                field.component,
                api_visibility="private",
                show_progress="hidden",
            )


@dataclass(frozen=True)
class _Applying:
    """Applies a model to what its fields hold."""

    name: str
    interface: Mapping[str, Any]
    fields: Sequence[Field]
    form: Form
    settings: Settings
    language: str

    def make(self, request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
        """Give what the page shows, step by step; `request` tells which tab asks."""
        try:
            yield from self._steps(str(request.session_hash), values)
        except Exception as error:
            raise work.mistake(error) from None

    def _steps(self, session: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        inputs, options = self._given(values), self.form.changed(values[len(self.fields) :])
        if missing := self._missing(inputs):
            raise ValueError(say(self.language, "use.missing", names=", ".join(missing)))
        with actions.workplace(self.settings) as place:
            said, call = actions.apply(self.name, inputs, options, place, self.settings)
            for step in work.watch(session, call):
                if step.result is None:
                    yield step.line(say(self.language, "waiting")), gr.skip(), gr.skip(), told(said)
                else:
                    made = step.result
                    shown = self._shown(next(iter(inputs.values()), []), made.files)
                    kept = gr.File([str(one) for one in made.files], visible=True)
                    yield "\n".join(f"- {line}" for line in made.lines), shown, kept, told(said)

    def _given(self, values: Sequence[Any]) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for field, value in zip(self.fields, values, strict=False):
            first = next(iter(found.values()), [])
            if files := field.given(value, first):
                found[field.name] = files
        return found

    def _missing(self, inputs: Mapping[str, Sequence[Path]]) -> list[str]:
        return [name for name, about in self.interface["inputs"].items() if about["required"] and not inputs.get(name)]

    def _shown(self, before: Sequence[Path], made: Sequence[Path]) -> Any:
        medium = next(iter(self.interface["outputs"].values()))
        return widget(medium).shown(before, made)
