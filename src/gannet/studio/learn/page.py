"""The tab as the browser gets it: its HTML, style and script, which are files beside this one, with words filled in."""

import re
from html import escape
from typing import Any

import gradio as gr

from gannet.studio.learn.answers import player_of, portray
from gannet.studio.learn.sessions import Sessions
from gannet.studio.learn.words import FOLDER, catalogue, direction, formulas


def draw(language: str) -> None:
    """Draw the tab in a language, within `gr.Blocks`; its games are its own."""
    words = catalogue(language)
    gr.HTML(
        html_template=filled(_file("page.html"), words | {"direction": direction(language)}),
        css_template=_file("page.css"),
        js_on_load=_file("page.js"),
        server_functions=[player_of(Sessions()), portray],
        apply_default_css=False,
        words=words["script"] | {"language": language},
        formulas=formulas(),
        elem_classes="learn-tab",
    )


def filled(page: str, words: dict[str, Any]) -> str:
    """Fill a page's [[codes]] with words, a dot between the steps of a code."""

    def word(found: re.Match[str]) -> str:
        node: Any = words
        for step in found[1].split("."):
            node = node[step]
        return escape(str(node))

    return re.sub(r"\[\[([\w.-]+)\]\]", word, page)


def _file(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
