"""What is drawn over a photograph rather than put in by file: masks and hints."""

import tempfile
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from gannet.studio.bounds import upload_folder

OVER = {"mask": ("#ffffff",), "hints": ()}
"""Further inputs that are drawn over the first one, each with its brushes; without any, every colour may be chosen."""


def is_drawn(name: str) -> bool:
    """Tell whether an input is drawn over the first one."""
    return name in OVER


def ask_over(name: str, label: str, about: str) -> Any:
    """Draw an editor that lies over the first input once that is there."""
    colours: list[str | tuple[str, float]] = list(OVER[name])
    gr.HTML(f'<p class="about">{escape(about)}</p>')  # Beside the label it would run under the editor's tools.
    brush = gr.Brush(colors=colours, color_mode="fixed") if colours else gr.Brush()
    return gr.ImageEditor(
        label=label,
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
    path = Path(tempfile.mkdtemp(dir=upload_folder())) / f"{first.stem}-{name}.png"
    picture.save(path)
    return [path]


def _upright(photograph: Image.Image) -> tuple[int, int]:
    """The size of a photograph as it is seen, which its camera may have held on its side."""
    width, height = photograph.size
    return (height, width) if photograph.getexif().get(274, 1) > 4 else (width, height)
