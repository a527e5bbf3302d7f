"""What the tab's script asks, and is answered: plain data, whatever was sent."""

import struct
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, Field

from gannet import api
from gannet.schema import Options, check
from gannet.studio.answers import Json, answering
from gannet.studio.learn.sessions import Gone, Sessions
from gannet.studio.learn.words import catalogue

MOST_ROUNDS = 20
"""Rounds between two frames: more would make the game jump."""
THOUSANDTHS, FARTHEST = 1_000, 30.0
"""Points are sent as whole thousandths; what has flown farther off is not seen anyway."""


def _spoken(language: str) -> str:
    catalogue(language)
    return language


class Asked(Options):
    """What the script asks of its game."""

    game: str = Field("", max_length=64)
    """The game's name; empty: a new one."""
    options: dict[str, Any] | None = None
    """What is played from now on, as `PlaneOptions`; left out: what was played before."""
    rounds: int = Field(0, ge=0, le=MOST_ROUNDS)
    """Rounds to play."""
    player: Literal["", "discriminator", "generator"] = ""
    """The player that takes a turn alone instead."""
    language: Annotated[str, AfterValidator(_spoken)] = "en"
    """Of the verdict."""


class Numbers(Protocol):
    """A tensor or an array of numbers."""

    def reshape(self, shape: int, /) -> Any:
        """Give the same numbers in another shape."""


def player_of(sessions: Sessions) -> Callable[[object], Json]:
    """Give what moves the games of some sessions and shows how they stand."""

    @answering
    def play(given: Json) -> Json:
        asked = Asked(**given)
        if not asked.game:
            game = api.PlaneGame(_options(asked.options or {}))
            asked = asked.model_copy(update={"game": sessions.open(game)})
        try:
            return _played(sessions, asked)
        except Gone as gone:
            return {"gone": str(gone)}

    return play


@answering
def portray(given: Json) -> Json:
    """Let the generative and the discriminative models learn the same points."""
    options = _options(given)
    points, label = api.labelled_points(options)
    portraits = [
        {
            "name": one.name,
            "kind": one.kind,
            "accuracy": one.accuracy,
            "seconds": one.seconds,
            "field": in_cells(one.field),
            "drawn": None if one.drawn is None else [in_thousandths(one.drawn[0]), one.drawn[1].tolist()],
        }
        for one in api.portray(options)
    ]
    return {"points": [in_thousandths(points), label.tolist()], "models": portraits}


def _options(values: Json) -> "api.PlaneOptions":
    return check(api.PlaneOptions, values, "options")


def _played(sessions: Sessions, asked: Asked) -> Json:
    """Change and move a game; give its name and how it stands, with its real points where they may be others now."""
    with sessions.using(asked.game) as game:
        if asked.options is not None:
            game.change(_options(asked.options))
        if asked.player:
            game.step(asked.player)
        else:
            game.play(asked.rounds)
        frame, verdict = game.frame(), game.verdict(asked.language)
        reals = {} if asked.options is None else {"reals": in_thousandths(game.held_out)}
    shown = {
        "game": asked.game,
        "images": frame.images,
        "fakes": in_thousandths(frame.fakes),
        "field": in_cells(frame.field),
        "fool_rate": frame.fool_rate,
        "losses": frame.losses,
    }
    return shown | reals | {"verdict": _said(verdict)}


def _said(verdict: Json) -> Json:
    """What the referee says, without its evidence."""
    parts = {name: {"state": verdict[name]["state"], "words": verdict[name]["words"]} for name in ("rule", "diagnosis")}
    return parts | {"also": [one["words"] for one in verdict["also"]], "advice": verdict["advice"]}


def in_thousandths(points: Numbers) -> list[int]:
    """Give points (n, 2) as x, y, x, y, ... in whole thousandths."""
    return [round(THOUSANDTHS * max(-FARTHEST, min(FARTHEST, value))) for value in _flat(points)]


def in_cells(field: Numbers) -> str:
    """Give a field of values from 0 to 1 as two bytes a cell, the lower one first, row by row, in base64."""
    cells = [round(65535 * value) for value in _flat(field)]
    return b64encode(struct.pack(f"<{len(cells)}H", *cells)).decode("ascii")


def _flat(values: Numbers) -> Iterable[float]:
    found: list[float] = values.reshape(-1).tolist()
    return found
