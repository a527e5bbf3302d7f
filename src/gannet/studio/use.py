"""Use: a model, what it is given, what may be asked of it, and what it made."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio import actions, bounds, drawing, work
from gannet.studio.forms import Form
from gannet.studio.settings import Settings
from gannet.studio.widgets import widget
from gannet.studio.words import say

FIRST = "super-resolution"
"""The task whose model is chosen when the page opens: everybody has a photograph."""


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
    usual = next((name for name in names if name.startswith(FIRST)), names[0] if names else None)
    with gr.Row():
        model = gr.Dropdown(names, value=usual, label=say(language, "use.model"), elem_id="use-model", scale=4)
        again = gr.Button(say(language, "use.refresh"), scale=1, min_width=120)
    again.click(lambda: gr.Dropdown(list(bounds.models_by_name(settings))), None, model, api_visibility="private")

    @gr.render(inputs=[model])
    def draw(name: str | None) -> None:
        if name:
            _draw(name, settings, language)


def _draw(name: str, settings: Settings, language: str) -> None:
    """Draw what a model takes and makes."""
    target = bounds.model_named(name, settings)
    told = api.interface(target)
    colours = _colours(name, settings)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300):
            fields = [_ask(one, about, colours, language) for one, about in told["inputs"].items()]
            form = Form.of_schema(told["options"])
            with gr.Accordion(say(language, "use.options"), open=not fields):
                asked = form.draw()
            with gr.Row():
                start = gr.Button(say(language, "use.start"), variant="primary", elem_id="use-start")
                stop = gr.Button(say(language, "stop"), variant="stop", elem_id="use-stop")
        with gr.Column(min_width=300):
            status = gr.Markdown(elem_id="use-status")
            place = widget(next(iter(told["outputs"].values()))).show(say(language, "use.result"))
            files = gr.File(
                label=say(language, "use.files"), file_count="multiple", interactive=False, elem_id="use-files"
            )
            said = gr.Code(label=say(language, "said"), language="shell", interactive=False, lines=2)
    _lay_editors(fields)
    work_on = _Applying(name, told, fields, form, settings, language)
    start.click(
        work_on,
        [*(field.component for field in fields), *asked],
        [status, place, files, said],
        api_visibility="private",
        concurrency_id="work",
        concurrency_limit=8,
        show_progress="minimal",
    )
    stop.click(stop_work, None, None, queue=False, api_visibility="private")


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
    told: Mapping[str, Any]
    fields: Sequence[Field]
    form: Form
    settings: Settings
    language: str

    def __call__(self, request: gr.Request, *values: Any) -> Iterator[tuple[Any, ...]]:
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
                    yield step.line(say(self.language, "waiting")), gr.skip(), gr.skip(), said.both()
                else:
                    made = step.result
                    first = next(iter(inputs.values()), [])
                    shown = self._shown(first, made.files)
                    yield (
                        "\n".join(f"- {line}" for line in made.lines),
                        shown,
                        [str(one) for one in made.files],
                        said.both(),
                    )

    def _given(self, values: Sequence[Any]) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for field, value in zip(self.fields, values, strict=False):
            first = next(iter(found.values()), [])
            if files := field.given(value, first):
                found[field.name] = files
        return found

    def _missing(self, inputs: Mapping[str, Sequence[Path]]) -> list[str]:
        return [name for name, about in self.told["inputs"].items() if about["required"] and not inputs.get(name)]

    def _shown(self, before: Sequence[Path], made: Sequence[Path]) -> Any:
        medium = next(iter(self.told["outputs"].values()))
        return widget(medium).shown(before, made)
