"""Texts: typed or pasted; what was restored of one is coloured by how sure the model is, and tells what else may stand.

Nothing of a text is markup: all of it is escaped.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from gannet.studio.bounds import LONGEST_WORDS, upload_folder
from gannet.studio.widgets import Results
from gannet.studio.words import direction, say

SHOWN = 200_000
"""Characters of a result that the page shows; the file has all."""
RECORD = ".json"
"""The ending of what is told of a text beside it."""
HEADING = "# Restored by a model: "
"""How the first line begins in which a text says that a model had a hand in it; gaps are counted behind it."""
STYLE = """
padding-top: 2.2rem;
.restored { white-space: pre-wrap; unicode-bidi: plaintext; overflow-wrap: anywhere; position: relative;
  line-height: 1.9; }
.restored + .restored { margin-top: 1rem; border-top: 1px solid var(--border-color-primary, #ccc); padding-top: 1rem; }
.gap { border-radius: 3px; cursor: help; }
.gap i { font-style: normal; border-bottom: 2px solid color-mix(in srgb, #2a78c8 calc(var(--sure) * 100%), #d9661f);
  background: color-mix(in srgb, color-mix(in srgb, #2a78c8 calc(var(--sure) * 100%), #d9661f) 30%, transparent); }
.gap:focus-visible { outline: 2px solid #2a78c8; outline-offset: 2px; }
.gap .told { display: none; position: absolute; inset-inline: 0; z-index: 5; padding: .6rem .9rem; white-space: normal;
  line-height: 1.5; border-radius: 6px; border: 1px solid var(--border-color-primary, #ccc);
  background: var(--background-fill-primary, #fff); box-shadow: 0 4px 16px #0003; }
.gap:hover .told, .gap:focus .told, .gap:focus-within .told { display: block; }
.told b { font-weight: 600; } .told ol { margin: .3rem 0 0; padding-inline-start: 1.6rem; list-style: decimal; }
.told li small { opacity: .75; }
.sureness { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .5rem; font-size: .85rem;
  margin: 0 0 .6rem; }
.sureness i { width: 5rem; height: .7rem; border-radius: 3px; background: linear-gradient(to right, #d9661f, #2a78c8); }
.sureness small { opacity: .8; flex-basis: 100%; }
.sureness[dir=rtl] i { background: linear-gradient(to left, #d9661f, #2a78c8); }
"""
Gap = Mapping[str, Any]
"""A gap as a record tells it: `sign`, `position`, `restored`, `confidences` and `alternatives`."""


def ask(label: str, wanted: Mapping[str, Any]) -> Any:
    """Draw a field for a text."""
    return gr.Textbox(label=f"{label}: {wanted['about']}", lines=6, max_lines=20, max_length=LONGEST_WORDS)


def given(value: Any) -> list[Path]:
    """Give a file with what was typed; none where it is empty."""
    if not isinstance(value, str) or not value.strip():
        return []
    path = Path(tempfile.mkdtemp(dir=upload_folder())) / "text.txt"
    path.write_text(value[:LONGEST_WORDS], encoding="utf-8")
    return [path]


def show(label: str, key: str) -> Any:
    """Draw a place for texts."""
    return gr.HTML(
        key=key, label=label, css_template=STYLE, show_label=True, container=True, padding=True, elem_id="texts"
    )


def shown(before: Sequence[Path], results: Results, language: str) -> Any:  # noqa: ARG001
    """Give the texts as HTML, one below the other."""
    left, parts = SHOWN, []
    for files in results:
        words, gaps = _read(files)
        parts.append(marked(words[:left], gaps, language))
        if (left := left - len(words)) <= 0:
            break
    return _legend(language) * any('class="gap"' in part for part in parts) + "".join(parts)


def _read(files: Mapping[str, Path]) -> tuple[str, list[Gap]]:
    """Read a text, and the gaps that are told of beside it."""
    text, *further = files.values()
    record = next((path for path in further if path.suffix == RECORD), None)
    told = json.loads(record.read_text(encoding="utf-8")) if record else {}
    return text.read_bytes().decode("utf-8", "replace"), list(told.get("gaps", ()))


def marked(text: str, gaps: Sequence[Gap], language: str) -> str:
    """Give a text as HTML, its restored parts marked; as it is where the record does not fit it."""
    parts, at, moved = [], 0, text.find("\n") + 1 if text.startswith(HEADING) else 0
    with suppress(KeyError, TypeError, ValueError):
        for number, gap in enumerate(gaps):
            place, restored = gap["position"] + moved, gap["restored"]
            start = place + text.startswith(f"[{restored}]", place)
            if start < at or text[start : start + len(restored)] != restored:
                break
            parts += [escape(text[at:start]), _gap(gap, number, language)]
            at = start + len(restored)
            stands = len(restored) + 2 * (start - place) + len(gap.get("line_ends", ""))
            moved += stands - len(gap["sign"])
    return f'<div class="restored" dir="auto">{"".join(parts)}{escape(text[at:])}</div>'


def _gap(gap: Gap, number: int, language: str) -> str:
    """Give a gap: its letters, each by how sure the model is of it, and what is told of it when it is looked at."""
    letters = zip(gap["restored"], gap["confidences"], strict=True)
    coloured = "".join(f'<i style="--sure:{float(sure):.2f}">{escape(letter)}</i>' for letter, sure in letters)
    others = "".join(
        f"<li><bdi>{escape(one['text'])}</bdi> <small>{_share(float(one['probability']))}</small></li>"
        for one in gap["alternatives"]
    )
    stood = escape(say(language, "text.stood", sign="\0")).replace("\0", f"<bdi>{escape(gap['sign'])}</bdi>")
    way = direction(language)
    told = f'<span class="told" role="tooltip" id="gap-{number}" dir="{way}"><b>{stood}</b><ol>{others}</ol></span>'
    return f'<span class="gap" tabindex="0" aria-describedby="gap-{number}">{coloured}{told}</span>'


def _share(probability: float) -> str:
    return f"{probability:.0%}" if probability >= 0.01 else "&lt; 1%"


def _legend(language: str) -> str:
    """Say what the colours mean."""
    low, high, about = (escape(say(language, f"text.{code}")) for code in ("unsure", "sure", "about"))
    way = direction(language)
    return f'<p class="sureness" dir="{way}"><span>{low}</span><i></i><span>{high}</span><small>{about}</small></p>'
