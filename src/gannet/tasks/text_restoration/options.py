"""What is asked of a model that restores texts."""

from typing import Annotated, Literal

from pydantic import Field

from gannet.schema import Section, Share
from gannet.tasks.text_restoration.restoration import Mark


class RestorationOptions(Section):
    """What is asked of a model that restores texts."""

    num: Annotated[int, Field(ge=1, le=50)] = 5
    """How many alternatives are given for each gap."""
    temperature: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Above 1 the model is less sure of itself, below it more."""
    language: str = ""
    """Of the text; empty: of each page the one in which it is likeliest."""
    parallels: Annotated[int, Field(ge=0, le=20)] = 3
    """How many of the nearest lines of what was learned from are told of each gap."""
    heading: Literal["long", "always", "never"] = "long"
    """Whether the text itself says in its first line that it was restored: `long`, where over 200 characters were. What
    stands beside it (*.record.json) always does."""
    mark: Mark = "none"
    """How the text shows what was restored: `none`, or `brackets`, as editors print what they supplied."""
    strength: Share | None = None
    """From 0, the likeliest of all (before the game), to 1; empty: as the model is."""
