"""What is done to clips so that they are as likely as before."""

import pytest
import torch
from torch import Tensor

from gannet.tasks._video.symmetries import DONE, changed, seen_by


class Halves:
    """A pass that chooses every other clip."""

    def __init__(self, clips: Tensor) -> None:
        self.sample = {"real": clips, "label": torch.arange(len(clips))}

    def uniform(self, *shape: int) -> Tensor:
        return torch.arange(len(self.sample["real"])).remainder(2).float().view(-1, *shape)


def numbered() -> Tensor:
    """Four clips in which each pixel has a number of its own."""
    return torch.arange(4 * 2 * 3 * 5 * 5.0).view(4, 2, 3, 5, 5)


@pytest.mark.parametrize(
    ("name", "place"),
    [("left-right", (0, 1, 4)), ("up-down", (0, 3, 0)), ("diagonal", (0, 0, 1)), ("time", (2, 1, 0))],
)
def test_half_of_the_clips_are_turned_and_the_others_stay(name: str, place: tuple[int, int, int]) -> None:
    clips = numbered()
    made = changed(clips, (name,), Halves(clips))  # type: ignore[arg-type]
    assert torch.equal(made[1::2], clips[1::2])
    time, row, column = place
    assert torch.equal(made[::2, :, time, row, column], clips[::2, :, 0, 1, 0])


def test_each_undoes_itself() -> None:
    clips = numbered()
    assert all(torch.equal(turn(turn(clips)), clips) and not torch.equal(turn(clips), clips) for turn in DONE.values())


def test_a_pass_shows_turned_clips_and_all_else_as_it_was() -> None:
    run = Halves(numbered())
    assert seen_by(())(run) is run  # type: ignore[arg-type, comparison-overlap]
    seen = seen_by(("left-right", "time"))(run)  # type: ignore[arg-type]
    assert torch.equal(seen.sample["real"][0], run.sample["real"][0].flip(1, 3))
    assert torch.equal(seen.sample["label"], run.sample["label"])
