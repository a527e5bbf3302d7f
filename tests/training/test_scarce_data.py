"""LeCam and CHAIN in runs: they resume bit for bit, move the right players, and go by the whole round's batch."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import check_gradients, check_resumes, make_trainer

from gannet.networks.chain import DECAY
from gannet.recipe import LeCam, Recipe, dump_yaml
from gannet.runtime.files import load_tree
from gannet.schema import Choice
from gannet.task import find_task
from gannet.tasks import generation

CHAIN = Choice(name="dcgan", width=8, latent=8, normalization="chain")


def scarce(**changes: Any) -> Recipe:
    """The example, on pictures large enough for a layer that is normalized, with both, and ADA."""
    example = generation.example()
    loss = example.loss.model_copy(update={"lecam": LeCam(start=64), **changes.pop("loss", {})})
    data = example.data.with_options(size=16)
    return example.model_copy(update={"network": CHAIN, "data": data, "images": 256, "loss": loss, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"loss": {"update": "shared"}},
        {"loss": {"update": "simultaneous"}, "augment": Choice(name="none"), "accumulate": 2},
    ],
    ids=["alternating, ada", "shared, ada", "simultaneous, in parts"],
)
def test_an_interrupted_run_equals_a_whole_one(changes: dict[str, Any], tmp_path: Path) -> None:
    check_resumes(scarce(**changes), tmp_path)
    (state,) = [load_tree(path) for path in (tmp_path / "whole" / "state").glob("*256.safetensors")]
    assert state["networks"]["discriminator"]["body.3.share"] > 0, "CHAIN never set in"
    assert state["observers"]["lecam"]["rounds"] == {"discriminator/real": 16, "discriminator/fake": 16}


@pytest.mark.parametrize("update", ["alternating", "shared", "simultaneous"])
def test_gradients_reach_the_right_players_only(update: str, tmp_path: Path) -> None:
    trainer = make_trainer(scarce(loss={"lecam": LeCam(), "update": update}), tmp_path)
    for _ in range(5):  # Until there is something to hold scores to, and something is normalized.
        trainer.round()
    check_gradients(trainer)
    assert {"lecam", "squared_means"} <= {name.rsplit("/", 1)[1] for name in trainer.meter.sums}


def first_round(run: Path) -> dict[str, torch.Tensor]:
    """What the first round's reals, of the same weights and the same batch, left behind."""
    state = load_tree(run / "state" / "000000000016.safetensors")
    (squares,) = [value[0] for name, value in state["networks"]["discriminator"].items() if name.endswith("squares")]
    return {"scores": state["observers"]["lecam"]["averages"]["discriminator/real"], "squares": squares - DECAY}


def test_a_round_in_parts_and_by_two_processes_is_taken_as_a_whole(tmp_path: Path) -> None:
    recipe = scarce(images=16, augment=Choice(name="none"))
    found = []
    for parts in (1, 4):
        trainer = make_trainer(recipe.model_copy(update={"accumulate": parts}), tmp_path / str(parts))
        trainer.run()
        found.append(first_round(tmp_path / str(parts)))
    (tmp_path / "scarce.yaml").write_text(dump_yaml(recipe))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    words = ["--standalone", "-m", "gannet", "train", str(tmp_path / "scarce.yaml"), "--out", str(tmp_path / "two")]
    done = subprocess.run([*launcher, *words], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found.append(first_round(tmp_path / "two"))
    assert all(float(value.abs().min()) > 0 for value in found[0].values())
    for other in found[1:]:
        torch.testing.assert_close(other["scores"], found[0]["scores"])
        # A tenth of small squares is added to 0.9, so that few digits are left of them.
        torch.testing.assert_close(other["squares"], found[0]["squares"], rtol=0.05, atol=0)


def test_a_batch_in_parts_holds_scores_as_a_whole_one_does(tmp_path: Path) -> None:
    """Without normalization of any kind all that is shared is the same, up to rounding."""
    mlp = Choice(name="mlp", width=16, depth=1, latent=4)
    recipe = scarce(network=mlp, images=128, augment=Choice(name="none"), loss={"lecam": LeCam(), "r1": None})
    states = []
    for parts in (1, 2):
        trainer = make_trainer(recipe.model_copy(update={"accumulate": parts}), tmp_path / str(parts))
        trainer.run()
        state = load_tree(tmp_path / str(parts) / "state" / "000000000128.safetensors")
        states.append({**state["observers"]["lecam"]["averages"], **state["networks"]["discriminator"]})
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, atol=1e-4, rtol=1e-4)


def test_the_game_of_photographs_holds_scores_too_and_only_while_it_is_played(tmp_path: Path) -> None:
    example = find_task("inpainting").example()
    loss = example.loss.model_copy(update={"name": "hinge", "lecam": LeCam()})
    trainer = make_trainer(example.model_copy(update={"loss": loss}), tmp_path)
    seen = []
    while trainer.progress.images < example.images:
        trainer.round()
        seen.append("lecam" in {name.rsplit("/", 1)[1] for name in trainer.meter.sums})
    assert seen == sorted(seen) and len(set(seen)) == 2
    assert set(trainer.observers["lecam"].measures()) == {"discriminator/real", "discriminator/fake"}
