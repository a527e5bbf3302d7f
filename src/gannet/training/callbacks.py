"""The callbacks of a trainer: whoever is shown how far it is, publishes its networks and stops it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gannet.runtime.progress import Progress


@dataclass(frozen=True, kw_only=True)
class Status(Progress):
    """How far a run is, for whoever shows it; what is done are images, or other samples, which count as those.

    Attributes:
        plural: what the samples are called.
    """

    seconds: float
    images_per_second: float
    seconds_left: float
    measures: Mapping[str, float]
    plural: str = "images"

    @property
    def images(self) -> int:
        """Count the images seen."""
        return self.done


class Callbacks(Protocol):
    """What a trainer needs to have done by others: showing, publishing, and saying when to stop early."""

    def show(self, status: Status) -> None:
        """Show how far the run is; called after every round on the first process."""

    def notify(self, words: str) -> None:
        """Tell the user something."""

    def publish(self, name: str) -> None:
        """Write the averaged networks to `model/<name>.safetensors`."""

    def rule_met(self) -> bool:
        """Say whether the run may end now; asked after each line of the log."""

    def should_stop(self) -> bool:
        """Say whether the run is asked to stop, saved; asked after every round."""

    def close(self, images: int) -> None:
        """Wrap up: the run leaves here; the last checkpoint follows."""
