"""The page: sections of plain data, escaped, in one file."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: auto; padding: 1rem; }
h1 { margin: 0 0 .5rem; } h2 { margin-top: 2rem; }
.verdict { border-left: .4rem solid; padding: .5rem 1rem; font-size: 1.15rem; }
.good { border-color: #2e933c; } .bad { border-color: #d1495b; } .open { border-color: #c77d0a; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 1rem; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; }
.pictures img, .beside img { width: 100%; image-rendering: pixelated; }
figure { margin: 0 0 1rem; } figcaption { font-weight: 600; }
figure img { max-width: 100%; image-rendering: pixelated; }
svg { width: 100%; height: auto; } svg text { font-size: 13px; fill: currentColor; }
.axis, .mark { stroke: currentColor; fill: none; opacity: .5; } .mark { stroke-dasharray: 5 4; }
.legend span { margin-right: 1rem; white-space: nowrap; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .3em; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; }
td, th { padding: .2rem .8rem .2rem 0; text-align: left; border-bottom: 1px solid #8885; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; font-size: .85rem; } .small { font-size: .85rem; opacity: .8; }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """Give a whole document: nothing in it is fetched from anywhere, and nothing in it runs."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"
    )


def section(title: str, *parts: str) -> str:
    """Give a heading and what is below it; nothing when there is nothing below."""
    content = "".join(parts)
    return f"<h2>{escape(title)}</h2>{content}" if content else ""


def paragraph(words: str, kind: str = "") -> str:
    """Give a paragraph of plain words."""
    return f'<p class="{escape(kind)}">{escape(words)}</p>'


def folded(title: str, text: str) -> str:
    """Give preformatted text that opens when it is asked for."""
    return f"<details><summary>{escape(title)}</summary><pre>{escape(text)}</pre></details>"


def group(kind: str, parts: Sequence[str]) -> str:
    """Give parts that stand beside each other where there is room."""
    return f'<div class="{escape(kind)}">{"".join(parts)}</div>' if parts else ""


def picture(path: Path, caption: str) -> str:
    """Give a PNG inside the page."""
    content = base64.b64encode(path.read_bytes()).decode()
    words = escape(caption)
    image = f'<img src="data:image/png;base64,{content}" alt="{words}">'
    return f'<figure>{image}<figcaption class="small">{words}</figcaption></figure>'


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Give a table that scrolls sideways on a narrow screen; numbers to the right."""
    top = "".join(f"<th>{escape(head)}</th>" for head in heads)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{top}</tr>{body}</table></div>'


def facts(values: Mapping[str, Any]) -> str:
    """Give names and values, a line each."""
    return table(("", ""), list(values.items()))


def _cell(value: Any) -> str:
    if value is None:
        return "<td></td>"
    if isinstance(value, int | float):
        return (
            f'<td class="number">{value:,}</td>' if isinstance(value, int) else f'<td class="number">{value:.4g}</td>'
        )
    return f"<td>{escape(str(value))}</td>"
