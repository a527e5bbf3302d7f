"""Flow matching: the way that is followed, and what is learned."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

import gannet
from gannet.api import JudgeOptions
from gannet.networks.flow import FlowChoice, FlowGenerator


class Known(FlowGenerator):
    """A flow whose velocity is known."""

    def velocity(self, picture: Tensor, time: Tensor, label: Tensor | None) -> Tensor:  # noqa: ARG002
        """2 t everywhere, so that a picture moves by one from time 0 to 1."""
        return (2 * time)[:, None, None, None].expand_as(picture)


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_the_way_is_followed_from_time_0_to_1_by_the_midpoint_rule(steps: int) -> None:
    network = Known((1, 8, 8), 0, width=8, steps=steps)
    start = -torch.rand(4, 64)
    assert torch.allclose(network(start).flatten(1), start + 1, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (4, 33, 33)])
def test_pictures_of_any_size_come_out_in_range(shape: tuple[int, ...]) -> None:
    network = FlowChoice(width=8, steps=2).build(shape, classes=3)
    drawn = network(torch.randn(2, network.latent), torch.tensor([0, 2]))
    assert drawn.shape == (2, *shape) and drawn.abs().max() <= 1


def test_what_is_drawn_comes_near_the_data(tmp_path: Path) -> None:
    changes = {"network.width": 16, "images": 20_000, "referee.every": 5_000, "device": "cpu", "precision": "32"}
    run = gannet.train("flow-matching", "digits", out=tmp_path / "run", set=changes)
    distances = [line["held_out"]["energy_distance"] for line in run.log() if "held_out" in line]
    assert distances[-1] < 0.15
    found = gannet.judge(run.folder, query=JudgeOptions(num=200))
    assert found.measures and found.memorization and not found.memorization.memorizes


def test_points_and_bad_widths_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match="Flow matching makes pictures"):
        gannet.train("flow-matching", "ring")
    with pytest.raises(ValueError, match="multiple of 8"):
        FlowChoice(width=12)
