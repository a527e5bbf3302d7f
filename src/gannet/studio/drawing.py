"""What is drawn rather than put in by file: masks and hints over a photograph, maps with a brush for each class."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from gannet.runtime.plain_data import read_json
from gannet.studio.bounds import upload_folder

OVER = {"mask": ("#ffffff",), "hints": ()}
"""Further inputs that are drawn over the first one, each with its brushes; without any, every colour may be chosen."""
MAP = "map"
"""The first input that is painted with a brush for each class."""
CANVAS = (256, 192)
"""Pixels of an empty map, where a model does not say."""


def is_drawn(name: str) -> bool:
    """Tell whether an input is drawn over the first one."""
    return name in OVER


def ask_over(name: str, label: str, about: str) -> Any:
    """Draw an editor that lies over the first input once that is there."""
    colours: list[str | tuple[str, float]] = list(OVER[name])
    brush = gr.Brush(colors=colours, color_mode="fixed") if colours else gr.Brush()
    return gr.ImageEditor(
        label=f"{label}: {about}",
        interactive=True,
        type="filepath",
        format="png",
        image_mode="RGBA",
        sources=(),
        transforms=None,
        layers=False,
        brush=brush,
        height=420,
        elem_id=f"over-{name}",
    )


def lay_under(photograph: str | None) -> Any:
    """Give what an editor shows once its photograph is chosen."""
    return {"background": photograph, "layers": [], "composite": None} if photograph else None


def given_over(name: str, value: Any, first: Path) -> list[Path]:
    """Give the file of what was drawn, as large as the first input: a mask is light on dark, hints are transparent.

    Nothing where nothing was drawn.
    """
    layers = [Image.open(layer).convert("RGBA") for layer in (value or {}).get("layers") or []]
    if not any(layer.getchannel("A").getextrema()[1] for layer in layers):
        return []
    drawn = layers[0]
    for layer in layers[1:]:
        drawn.alpha_composite(layer)
    with Image.open(first) as photograph:
        drawn = drawn.resize(_upright(photograph), Image.Resampling.NEAREST)
    picture = drawn.getchannel("A").point(lambda light: 255 * (light > 0)) if name == "mask" else drawn
    path = Path(tempfile.mkdtemp(dir=upload_folder())) / f"{first.stem}.png"
    picture.save(path)
    return [path]


def _upright(photograph: Image.Image) -> tuple[int, int]:
    """The size of a photograph as it is seen, which its camera may have held on its side."""
    width, height = photograph.size
    return (height, width) if photograph.getexif().get(274, 1) > 4 else (width, height)


def brushes(folder: Path) -> dict[str, str]:
    """Give the colour of each class that a model paints, by its name; none where it paints no classes."""
    told = read_json(folder / "config.json")["config"].get("description", {})
    return dict(zip(told.get("classes", ()), told.get("palette", ()), strict=False))


def ask_map(label: str, colours: Mapping[str, str]) -> Any:
    """Draw a canvas with a brush for each class, on which something is painted already."""
    beginning = _beginning(list(colours.values()))
    return gr.ImageEditor(
        value={"background": beginning, "layers": [], "composite": beginning},
        label=label,
        interactive=True,
        type="filepath",
        format="png",
        image_mode="RGB",
        sources=(),
        transforms=None,
        layers=False,
        brush=gr.Brush(default_size=24, colors=[*colours.values()], color_mode="fixed"),
        canvas_size=CANVAS,
        height=480,
        elem_id="map",
    )


def given_map(value: Any) -> list[Path]:
    """Give the file of a painted map."""
    drawn = (value or {}).get("composite") or (value or {}).get("background")
    return [Path(drawn)] if drawn else []


def legend(colours: Mapping[str, str]) -> str:
    """Name the brushes, as HTML."""
    from html import escape

    named = [
        f'<span class="brush"><i style="background:{escape(colour)}"></i>{escape(name)}</span>'
        for name, colour in colours.items()
    ]
    return f'<div class="brushes">{"".join(named)}</div>'


def _beginning(colours: Sequence[str]) -> Image.Image:
    """A picture whose upper half is of the first class and whose lower half is of the fifth, sky above grass."""
    width, height = CANVAS
    picture = Image.new("RGB", CANVAS, colours[0])
    picture.paste(Image.new("RGB", (width, height // 2), colours[min(4, len(colours) - 1)]), (0, height // 2))
    return picture
