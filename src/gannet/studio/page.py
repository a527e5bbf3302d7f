"""The page in one language: its tabs, its look, and the API behind them."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gradio as gr

from gannet.studio import cards, endpoints, explore, judging, train, use, work
from gannet.studio.blocks import Page
from gannet.studio.jobs import Jobs
from gannet.studio.settings import Settings
from gannet.studio.words import direction, languages, say

LEARN = "gannet.studio.learn"
"""The module of the tab on the game of two players; without it there is none."""
FONTS = ("system-ui", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans Arabic", "Vazirmatn", "Tahoma", "sans-serif")
MONOSPACED = ("ui-monospace", "DejaVu Sans Mono", "Consolas", "monospace")
"""What readers have: the page fetches no fonts."""
STYLE = """
.gradio-container { width: 100%; max-width: 76rem !important; margin: auto; }
.top { display: flex; justify-content: space-between; align-items: baseline; flex-wrap: wrap; gap: .5rem 1rem; }
.top h1 { margin: 0; font-size: 1.5rem; } .top nav a { margin-inline-start: 1rem; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.5rem; }
.run { min-width: 0; } .run progress { width: 100%; } .run h3 small { opacity: .7; font-weight: normal; }
.said { border-inline-start: .35rem solid #c77d0a; padding-inline-start: .8rem; }
.said.good { border-color: #2e933c; } .said.bad, .trouble { border-color: #d1495b; }
.trouble { border-inline-start: .35rem solid #d1495b; padding-inline-start: .8rem; font-weight: 600; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); gap: 1rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 1rem; }
.beside img { width: 100%; image-rendering: pixelated; } .run figure { margin: 0 0 1rem; }
.run svg { width: 100%; height: auto; direction: ltr; } .run svg text { font-size: 13px; fill: currentColor; }
.run .axis, .run .mark { stroke: currentColor; fill: none; opacity: .5; } .run .mark { stroke-dasharray: 5 4; }
.run .legend span { margin-inline-end: 1rem; white-space: nowrap; }
.run .legend i { display: inline-block; width: .8em; height: .8em; margin-inline-end: .3em; }
.run .small { font-size: .85rem; opacity: .8; }
.painted { width: 100%; height: auto; border-radius: 6px; }
.told-lines { margin: 0; padding-inline-start: 1.2rem; overflow-wrap: anywhere; } .told-lines:empty { display: none; }
.drawn img, #explore-given img { width: 100%; height: 100%; object-fit: contain; }
.drawn img { image-rendering: pixelated; }
#explore-seeds .grid-wrap { min-height: 0; max-height: none; padding-top: 2.4rem; }
#explore-seeds .grid-container { grid-template: none / repeat(auto-fill, minmax(max(11%, 4.5rem), 1fr)); }
#explore-seeds .grid-container { grid-auto-rows: auto; }
[dir=rtl] .block, [dir=rtl] .form, [dir=rtl] .tabitem { direction: rtl; }
[dir=rtl] .slider_input_container { direction: ltr; }
[dir=rtl] .filename { direction: ltr; justify-content: flex-end; }
[dir=rtl] .icon-wrap { right: auto; left: .5rem; }
[dir=rtl] .cm-editor, [dir=rtl] input[type=number], [dir=rtl] pre { direction: ltr; text-align: left; }
"""


def build(settings: Settings, jobs: Jobs, language: str) -> gr.Blocks:
    """Build the page in a language."""
    tabs: dict[str, Callable[[], None]] = {
        "use": lambda: use.build(settings, language),
        "train": lambda: train.build(settings, jobs, language, page),
        "explore": lambda: explore.build(settings, language),
        "judge": lambda: judging.build(settings, language),
        "models": lambda: cards.build(settings, language),
    }
    if find_spec(LEARN):
        tabs = {"learn": lambda: import_module(LEARN).build(language), **tabs}
    page = Page(title="Gannet", analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(_head(language))
        endpoints.build(settings, jobs)  # First: gradio names events of its own, and of equal names numbers the later.
        with gr.Tabs(selected="use"):
            for name, draw in tabs.items():
                with gr.Tab(say(language, f"{name}.tab"), id=name):
                    draw()
        page.unload(_leave)
    return page


def _leave(request: gr.Request) -> None:
    """Stop the work of a tab that was closed; trainings go on."""
    work.stop(request.session_hash)


def _head(language: str) -> str:
    """The title, and the way to the page in the other languages."""
    links = [
        f'<a href="{path_of(one)}" lang="{one}">{say(one, "language")}</a>' for one in languages() if one != language
    ]
    return f'<div class="top"><h1>Gannet</h1><span>{say(language, "about")}</span><nav>{"".join(links)}</nav></div>'


def path_of(language: str) -> str:
    """Give the address of the page in a language."""
    return "/" if language == "en" else f"/{language}/"


def script(language: str) -> str:
    """Give what tells the browser the language and its direction, once the page is there."""
    told = f"document.documentElement.lang = '{language}'; document.documentElement.dir = '{direction(language)}';"
    return f"() => {{ {told} }}"


def theme() -> Any:
    """Give the colours and fonts of the page."""
    return gr.themes.Soft(font=list(FONTS), font_mono=list(MONOSPACED), primary_hue="blue")
