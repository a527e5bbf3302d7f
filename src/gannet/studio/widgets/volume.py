"""Volumes: put in by file, and looked through in three planes, with what is labelled in them laid over."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from gannet import api
from gannet.studio.widgets import Results
from gannet.studio.widgets.file import ask, given
from gannet.studio.words import say

__all__ = ["SHOWS_PARTS", "ask", "given", "show", "shown"]
SHOWS_PARTS = "laid over"
"""How further outputs are looked at; without this they are made only where they are asked for."""
MOST_SHOWN = 4
"""Volumes that are looked through at once; the files have all."""
STYLE = """
padding-top: 2.2rem;
.planes { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(9rem, 100%), 1fr)); gap: 1rem;
  align-items: end; }
.volume h4 { margin: 0 0 .4rem; overflow-wrap: anywhere; } .volume + .volume { margin-top: 1.5rem; }
.plane { margin: 0; min-width: 0; direction: ltr; }
.slice { position: relative; aspect-ratio: var(--shape); background: #000; border-radius: 4px; overflow: hidden; }
.slice span { position: absolute; inset: 0; image-rendering: pixelated; background-repeat: no-repeat;
  background-size: calc(var(--columns) * 100%) calc(var(--rows) * 100%); background-position: var(--x) var(--y); }
.bare .slice span + span { display: none; }
.plane label { display: block; font-size: .85rem; } .plane b { font-weight: inherit; } .plane input { width: 100%; }
.volume > label { display: flex; gap: .4rem; align-items: center; margin-top: .5rem; font-size: .9rem; }
"""
TURN = (
    "const figure = this.closest('figure'), at = Number(this.value), columns = Number(this.dataset.columns), "
    "rows = Number(this.dataset.rows); "
    "figure.style.setProperty('--x', 100 * (at % columns) / Math.max(1, columns - 1) + '%'); "
    "figure.style.setProperty('--y', 100 * Math.floor(at / columns) / Math.max(1, rows - 1) + '%'); "
    "figure.querySelector('b').textContent = at + 1;"
)
"""What a slider does: it moves the sheet of all slices behind its window."""
LAY_OVER = "this.closest('.volume').classList.toggle('bare', !this.checked);"


def show(label: str, key: str) -> Any:
    """Draw a place for volumes."""
    return gr.HTML(
        key=key, label=label, css_template=STYLE, show_label=True, container=True, padding=True, elem_id="volumes"
    )


def shown(before: Sequence[Path], results: Results, language: str) -> Any:  # noqa: ARG001
    """Give the first volumes as HTML, each in three planes."""
    return "".join(_volume(files, language) for files in results[:MOST_SHOWN])


def _volume(files: Mapping[str, Path], language: str) -> str:
    scan, *further = files.values()
    sheets = [api.slice_sheets(scan), *(api.slice_sheets(path, "label-volume") for path in further[:1])]
    planes = "".join(_plane(layers, language) for layers in zip(*sheets, strict=True))
    words = escape(say(language, "volume.labels"))
    over = f'<label><input type="checkbox" checked onchange="{LAY_OVER}"> {words}</label>' if further else ""
    name = f'<bdi dir="ltr">{escape(scan.name)}</bdi>'
    return f'<section class="volume"><h4>{name}</h4><div class="planes">{planes}</div>{over}</section>'


def _plane(layers: Sequence[Any], language: str) -> str:
    """Give a window on the sheet of all slices, and the slider that moves it."""
    sheet, words = layers[0], escape(say(language, f"volume.{layers[0].plane}"))
    rows, middle = -(-sheet.count // sheet.columns), sheet.count // 2
    x = 100 * (middle % sheet.columns) / max(1, sheet.columns - 1)
    y = 100 * (middle // sheet.columns) / max(1, rows - 1)
    style = f"--x:{x:.3f}%;--y:{y:.3f}%;--columns:{sheet.columns};--rows:{rows};--shape:{sheet.shape:.4f}"
    pictures = "".join(f'<span style="background-image:url({_inline(one.picture)})"></span>' for one in layers)
    slider = (
        f'<input type="range" min="0" max="{sheet.count - 1}" value="{middle}" data-columns="{sheet.columns}" '
        f'data-rows="{rows}" oninput="{TURN}">'
    )
    return (
        f'<figure class="plane" style="{style}"><div class="slice" role="img" aria-label="{words}">{pictures}</div>'
        f"<label><span>{words} <b>{middle + 1}</b>/{sheet.count}</span>{slider}</label></figure>"
    )


def _inline(picture: Image.Image) -> str:
    """Give a picture as an address that holds it; what is not to be seen through is smaller as JPEG."""
    content, form = BytesIO(), "JPEG" if picture.mode == "L" else "PNG"
    picture.save(content, form, quality=85)
    return f"data:image/{form.lower()};base64,{b64encode(content.getvalue()).decode()}"
