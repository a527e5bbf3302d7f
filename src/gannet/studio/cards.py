"""Models: what is at hand, and the card of each."""

import re
from typing import Any

import gradio as gr

from gannet import api
from gannet.studio import bounds, work
from gannet.studio.places import ModelField
from gannet.studio.said import Said
from gannet.studio.settings import Settings
from gannet.studio.translation import ISOLATED, translate
from gannet.studio.words import direction, say

FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
"""What a card may show: the page fetches nothing for it."""


def build(settings: Settings, language: str) -> ModelField:
    """Build the tab; gives the field of models."""
    names, from_right = list(bounds.models_by_name(settings)), direction(language) == "rtl"
    model = gr.Dropdown(names, value=None, label=say(language, "models.model"), elem_id="models-model")
    card = gr.Markdown(_overview(settings, language), rtl=from_right, elem_id="models-card")
    said = gr.Code(
        Said("models", []).both(),
        label=say(language, "said"),
        language="shell",
        interactive=False,
        lines=2,
        show_line_numbers=False,
    )

    def show(name: str | None) -> tuple[Any, str]:
        try:
            words = card_of(name, settings) if name else _overview(settings, language)
            turned = from_right and not name  # Cards are in English.
            return gr.Markdown(words, rtl=turned), _said(name, settings).both()
        except Exception as error:
            raise work.mistake(error) from None

    model.change(show, model, [card, said], api_visibility="private")
    return ModelField(model, lambda: bounds.models_by_name(settings))


def card_of(name: object, settings: Settings) -> str:
    """Give the card of a model by its name on the page, without what belongs to hubs; of a run without one its facts.

    Raises:
        ValueError: there is no such model.
    """
    target = bounds.model_named(name, settings)
    try:
        return PICTURE.sub("", FRONT_MATTER.sub("", api.card(target)))
    except ValueError:
        return "\n\n".join(line for one in api.models(settings.runs) if one.name == target for line in one.lines())


def _overview(settings: Settings, language: str) -> str:
    """A table of all models."""
    rows = [
        " | ".join(
            (
                "",
                name,
                translate(language, one.task),
                ISOLATED.format(f"{one.megabytes:.1f} MB"),
                one.licence or "—",
                "",
            )
        )
        for one in api.models(settings.runs)
        for name, target in bounds.models_by_name(settings).items()
        if target == one.name
    ]
    heads = " | ".join(say(language, f"models.{column}") for column in ("name", "task", "size", "licence"))
    return "\n".join([f"| {heads} |", "|---|---|---|---|", *rows])


def _said(name: str | None, settings: Settings) -> Said:
    if not name:
        return Said("models", [])
    return Said("models", [bounds.model_named(name, settings)])
