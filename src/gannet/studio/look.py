"""How the page looks: its colours, its fonts, and its style sheet."""

from importlib import resources
from typing import Any

import gradio as gr

FONTS = ("system-ui", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans Arabic", "Vazirmatn", "Tahoma", "sans-serif")
MONOSPACED = ("ui-monospace", "DejaVu Sans Mono", "Consolas", "monospace")
"""What readers have: the page fetches no fonts."""
READABLE = {
    "background_fill_primary": "*neutral_50",  # As it is; without being said, it would be lost.
    "body_text_color_subdued": "*neutral_500",
    "body_text_color_subdued_dark": "*neutral_400",
    "block_label_text_color": "*primary_700",
    "block_title_text_color": "*primary_700",
    "button_primary_background_fill": "*primary_600",
    "button_primary_background_fill_hover": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_700",
    "checkbox_label_background_fill_selected": "*primary_600",
    "color_accent": "*primary_600",
    "link_text_color_dark": "*secondary_400",
    "link_text_color_visited": "*secondary_600",
    "link_text_color_visited_dark": "*secondary_400",
    "input_border_width": "1px",
    "input_border_color": "*neutral_300",
    "input_border_color_dark": "*neutral_600",
}
"""Where the theme's own colours are too faint: every word stands out 4.5 times from what is behind it (WCAG 1.4.3)."""


def theme() -> Any:
    """Give the colours and fonts of the page."""
    soft: Any = gr.themes.Soft(font=list(FONTS), font_mono=list(MONOSPACED), primary_hue="blue")
    return soft.set(**READABLE)


def style() -> str:
    """Give the style sheet."""
    return (resources.files("gannet.studio") / "look.css").read_text(encoding="utf-8")
