"""The easel: a map painted in the browser with a named brush for each class, whose every stroke is told at once.

Its value is the map as the address of a PNG that holds it (`data:image/png;base64,...`): one small message a stroke.
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.runtime.plain_data import read_json
from gannet.studio.words import catalogue

MAP = "map"
"""The first input that is painted with a brush for each class."""
WORDS = "words"
"""The option that says in words how a picture is to look; it stands first."""
PNG = "data:image/png;base64,"
"""How the address of a picture begins that holds it."""
CANVAS = (256, 192)
"""Pixels of a map, where a model does not say."""


@dataclass(frozen=True)
class Paints:
    """What a model paints.

    Attributes:
        colours: of each class, by its name.
        size: of a map, as (width, height).
    """

    colours: Mapping[str, str]
    size: tuple[int, int] = CANVAS


def paints_of(folder: Path) -> Paints | None:
    """Give what a model paints by its folder; None where it paints no classes."""
    told = read_json(folder / "config.json")["config"].get("description", {})
    colours = dict(zip(told.get("classes", ()), told.get("palette", ()), strict=False))
    sides = told.get("shape", ())[-2:]
    return Paints(colours, (sides[1], sides[0]) if len(sides) == 2 else CANVAS) if colours else None


def draw(label: str, paints: Paints, language: str) -> Any:
    """Draw an easel, on which something is painted already; its event `input` tells of every stroke."""
    return gr.HTML(
        value=None,
        label=label,
        html_template=_file("easel.html"),
        css_template=_file("easel.css"),
        js_on_load=_file("easel.js"),
        apply_default_css=False,
        brushes=[{"name": name, "colour": colour} for name, colour in paints.colours.items()],
        size=list(paints.size),
        words={**catalogue(language)["easel"], "label": label},
        elem_id=MAP,
    )


def content(value: object) -> bytes | None:
    """Give the file of a painted map; None where there is none yet.

    Raises:
        ValueError: it is no map of an easel.
    """
    if not value:
        return None
    try:
        if isinstance(value, str) and value.startswith(PNG):
            return b64decode(value.removeprefix(PNG), validate=True)
    except binascii.Error:
        pass
    raise ValueError("What was sent is no painted map; paint one on the page, or give a file.")


def _file(name: str) -> str:
    return (resources.files(__name__) / name).read_text(encoding="utf-8")
