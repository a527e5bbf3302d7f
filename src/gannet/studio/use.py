"""Use: a model, what it is given, what may be asked of it, and what it made."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio import bounds, easel
from gannet.studio.applying import Applying
from gannet.studio.blocks import DRAWN
from gannet.studio.fields import Field, ask, label_of
from gannet.studio.forms import Form
from gannet.studio.offered import options_of
from gannet.studio.places import ModelField, results_field, said_field, stop_work
from gannet.studio.settings import Settings
from gannet.studio.widgets import widget
from gannet.studio.words import say

FIRST = re.compile(r"super-resolution-v\d+")
"""The model that is chosen when the page opens: everybody has a photograph."""


def build(settings: Settings, language: str) -> ModelField:
    """Build the tab; gives the field of models."""
    names = list(bounds.models_by_name(settings))
    usual = next(filter(FIRST.fullmatch, names), names[0] if names else None)
    model = gr.Dropdown(names, value=usual, label=say(language, "use.model"), elem_id="use-model")

    @gr.render(inputs=[model], **DRAWN)  # type: ignore[untyped-decorator]
    def draw(name: str | None) -> None:
        if name:
            _draw(name, settings, language)

    return ModelField(model, lambda: bounds.models_by_name(settings))


def _draw(name: str, settings: Settings, language: str) -> None:
    """Draw what a model takes and makes."""
    target = bounds.model_named(name, settings)
    about = api.interface(target)
    folder = _folder(name, settings)
    paints = easel.paints_of(folder) if folder and easel.MAP in about["inputs"] else None
    form = options_of(about, folder)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=300, elem_id="use-fields"):
            fields = ask(about["inputs"], paints, language)
            if not paints:
                asked = _options(form, not fields, language)
                further = _further(about, language)
                start, stop = _buttons("use.start", language)
        with gr.Column(min_width=300):
            if paints:
                place, further = gr.HTML(elem_id="painted", min_height=120), None
                start, stop = _buttons("easel.save", language)
                asked = _options(form, True, language)
            status = gr.HTML("", elem_id="use-status")
            if not paints:
                place = widget(next(iter(about["outputs"].values()))).show(
                    say(language, "use.result"), f"{name}-result"
                )
            files = results_field(say(language, "use.files"), "use-files")
            said = said_field(language)
    work_on = Applying(name, target, about, fields, form, settings, language)
    start.click(
        work_on.make,
        [*(field.component for field in fields), *asked, *([further] if further else [])],
        [status, place, files, said],
        api_visibility="private",
        concurrency_id="work",
        concurrency_limit=8,
        show_progress="hidden",  # The line beside it says more, and nothing is laid over what is there.
    )
    stop.click(stop_work, None, None, api_visibility="private", show_progress="hidden")
    if paints:
        _follow(fields, asked, work_on, place)


def _folder(name: str, settings: Settings) -> Path | None:
    """Give where a model's files lie, by its name on the page."""
    return next((one.folder for one in api.models(settings.runs) if Path(one.name).name == name), None)


def _options(form: Form, opened: bool, language: str) -> list[Any]:
    """Draw what may be asked of a model; nothing where nothing may."""
    if not form.keys:
        return []
    with gr.Accordion(say(language, "use.options"), open=opened):
        return form.draw(language)


def _further(about: Mapping[str, Any], language: str) -> Any:
    """Draw the choice of further outputs; None where there are none but those that come in any case."""
    outputs = about["outputs"]
    primary, *others = outputs
    further = [name for name in others if name not in about["always"]]
    if not further:
        return None
    chosen = further if hasattr(widget(outputs[primary]), "SHOWS_PARTS") else []
    return gr.CheckboxGroup(
        [(label_of(name, language), name) for name in further],
        value=chosen,
        label=say(language, "use.further"),
        elem_id="use-further",
    )


def _buttons(start: str, language: str) -> tuple[Any, Any]:
    with gr.Row():
        return (
            gr.Button(say(language, start), variant="primary", elem_id="use-start"),
            gr.Button(say(language, "stop"), variant="stop", elem_id="use-stop"),
        )


def _follow(fields: Sequence[Field], asked: Sequence[Any], work_on: Applying, place: Any) -> None:
    """Paint anew after each stroke, and after each change of what is asked; of what comes meanwhile only the last."""
    gr.on(
        [fields[0].component.input, *(event for field in asked for event in _settled(field))],
        work_on.follow,
        [*(field.component for field in fields), *asked],
        place,
        api_visibility="private",
        trigger_mode="always_last",
        concurrency_id="paint",
        concurrency_limit=8,
        show_progress="hidden",
    )


def _settled(field: Any) -> list[Any]:
    """Give the events of a field that tell of a value that somebody has finished with."""
    if isinstance(field, gr.Textbox):
        return [field.submit, field.blur]
    return [field.release] if isinstance(field, gr.Slider) else [field.change]
