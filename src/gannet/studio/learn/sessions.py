"""The games that are being watched: one a browser's tab, which alone knows its name."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gannet.api import PlaneGame

MOST = 32
"""Games kept at a time; each takes about a megabyte. The one that nobody has moved for longest goes first."""


class Gone(ValueError):
    """A game is not kept any more, or never was."""


class Sessions:
    """Keeps games by names that cannot be guessed. Nothing runs unless a tab asks for it.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most, self.lock = most, threading.Lock()
        self.games: OrderedDict[str, tuple[PlaneGame, threading.Lock]] = OrderedDict()

    def open(self, game: "PlaneGame") -> str:
        """Keep a game; give its name."""
        name = secrets.token_urlsafe(16)
        with self.lock:
            self.games[name] = game, threading.Lock()
            while len(self.games) > self.most:
                self.games.popitem(last=False)
        return name

    @contextmanager
    def using(self, name: str) -> Iterator["PlaneGame"]:
        """Hold a game while it is moved.

        Raises:
            Gone: there is none of that name.
        """
        with self.lock:
            if name not in self.games:
                raise Gone("This game is not kept any more; begin anew.")
            self.games.move_to_end(name)
            game, held = self.games[name]
        with held:
            yield game
