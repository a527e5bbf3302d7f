"""What a studio is started with."""

from dataclasses import dataclass
from pathlib import Path

LOOPBACK, EVERYWHERE = "127.0.0.1", "0.0.0.0"
PORT = 7860
"""Gradio's usual one."""
FEWEST_LETTERS = 8
"""Of a password that a network may try."""


@dataclass(frozen=True)
class Settings:
    """What a studio is started with.

    Attributes:
        runs: the folder of runs, of which the page may show everything.
        data: the folder below which the page may name data.
        work: a folder for what is made and not yet fetched; it goes with the process.
        port: of this machine; 0: a free one.
        password: what whoever comes over the network must know; empty: nobody may.
    """

    runs: Path
    data: Path
    work: Path
    port: int = PORT
    password: str = ""

    @property
    def host(self) -> str:
        """The address that it listens on."""
        return EVERYWHERE if self.password else LOOPBACK


def check_sharing(share_on_network: bool, password: str) -> str:
    """Give the password of a shared studio, or nothing; ValueError where one comes without the other."""
    if share_on_network and len(password) < FEWEST_LETTERS:
        raise ValueError(
            f"--share-on-network lets the whole network use this machine; give a --password of at least "
            f"{FEWEST_LETTERS} letters with it."
        )
    if password and not share_on_network:
        raise ValueError("--password is for a page that others reach; add --share-on-network, or leave it out.")
    return password
