"""The tab on the two-player game: live, in the plane, beside other models of the same points."""


def build(language: str) -> None:
    """Draw the tab in a language, within `gr.Blocks`."""
    from gannet.studio.learn.page import draw  # Gradio takes its time to load, and answers need none of it.

    draw(language)
