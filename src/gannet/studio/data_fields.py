"""Data on the page: one of those that come along, a path in the folder of data, or what is uploaded."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import gradio as gr

from gannet.studio import bounds
from gannet.studio.settings import Settings
from gannet.studio.words import say


def draw(settings: Settings, language: str, name: str) -> list[Any]:
    """Draw the fields of data; `chosen` reads their values.

    Args:
        name: what tells them from those of other tabs.
    """
    with gr.Row():
        embedded = gr.Dropdown(
            ["", *bounds.embedded()], value="", label=say(language, "data.embedded"), elem_id=f"{name}-embedded"
        )
        path = gr.Textbox(
            label=say(language, "data.path"), info=say(language, "data.below", folder=settings.data.resolve().name)
        )
    uploaded = gr.File(label=say(language, "data.upload"), file_count="multiple", type="filepath", height=190)
    return [embedded, path, uploaded]


def chosen(values: Sequence[Any], settings: Settings) -> str:
    """Give the data that the fields name; empty where they are empty.

    Raises:
        ValueError: they name several, or what the page does not open.
    """
    embedded, path, files = values
    given = [one for one in (embedded, path, files) if one]
    if len(given) > 1:
        raise ValueError("Data are given in more than one field; empty the others.")
    if files:
        # The same files are at the same place each time: what was examined is not copied again to be learned from.
        name = sha256("\n".join(sorted(map(str, files))).encode()).hexdigest()[:8]
        return bounds.uploaded_data(files, settings.runs / bounds.UPLOADS / name)
    return bounds.data_named(embedded or path, settings) if given else ""
