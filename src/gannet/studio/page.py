"""The page in one language: its tabs, its look, and the API behind them."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import gradio as gr

from gannet.studio import cards, endpoints, explore, judging, train, use, work
from gannet.studio.blocks import Page
from gannet.studio.front import path_of
from gannet.studio.jobs import Jobs
from gannet.studio.places import ModelField
from gannet.studio.settings import Settings
from gannet.studio.words import languages, say

LEARN = "gannet.studio.learn"
"""The module of the tab on the game of two players; without it there is none."""


def build(settings: Settings, jobs: Jobs, language: str) -> gr.Blocks:
    """Build the page in a language."""
    tabs: dict[str, Callable[[], ModelField | None]] = {
        "use": lambda: use.build(settings, language),
        "train": lambda: train.build(settings, jobs, language, page),
        "explore": lambda: explore.build(settings, language),
        "judge": lambda: judging.build(settings, language),
        "models": lambda: cards.build(settings, language),
    }
    if find_spec(LEARN):
        tabs = {"learn": lambda: import_module(LEARN).build(language), **tabs}
    page = Page(language, title="Gannet", analytics_enabled=False, fill_width=True)
    with page:
        gr.HTML(_head(language))
        endpoints.build(settings, jobs)  # First: gradio names events of its own, and of equal names numbers the later.
        with gr.Tabs(selected="use"):
            for name, draw in tabs.items():
                with gr.Tab(say(language, f"{name}.tab"), id=name) as tab:
                    listed = draw()
                if listed:  # What was trained since the studio started is among them, too.
                    gr.on(
                        [page.load, tab.select],
                        listed.anew,
                        None,
                        listed.field,
                        api_visibility="private",
                        show_progress="hidden",
                    )
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
    # Gradio heads its messages with their kind, in English alone.
    error = f'<style>.toast-title.error {{ --kind: "{say(language, "error")}"; }}</style>'
    return (
        f'{error}<div class="top"><h1>Gannet</h1><span>{say(language, "about")}</span><nav>{"".join(links)}</nav></div>'
    )
