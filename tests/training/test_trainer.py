"""The loop: budgets, stages, accumulation, averages, divergence, and several processes."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from contracts import check_gradients, check_resumes, logged, make_trainer, tensors_of
from torch import nn

import gannet
from gannet.adversarial.game import Outcome, Pass
from gannet.recipe import Average, Loss, Optimizer, Penalty, Recipe, RefereeSettings, Stage, dump_yaml, load_recipe
from gannet.runtime.files import load_tree
from gannet.runtime.progress import Watch
from gannet.schema import Choice
from gannet.tasks import generation
from gannet.training.distributed import RunningAverage
from gannet.training.optimizers import make_optimizer, measured_step, restore_optimizer
from gannet.training.trainer import Trainer


def changed(**updates: object) -> Recipe:
    return generation.example().model_copy(update=updates)


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {f"{n}.{k}": v.clone() for n, network in trainer.networks.items() for k, v in network.state_dict().items()}


MLP = Choice(name="mlp", width=16, depth=1, latent=4)


SHARED = Loss(update="shared", r1=Penalty(every=2), r2=Penalty(weight=0.1))
MIRRORED = Choice(name="fixed", share=0.5, climb=1, kinds={"flip": 0.5})
"""Drawn anew in every turn, so that it tells who draws where."""


@pytest.mark.parametrize("loss", [Loss(), SHARED], ids=["alternating", "shared"])
def test_accumulation_changes_nothing_but_rounding(loss: Loss, tmp_path: Path) -> None:
    given = {"network": MLP, "loss": loss, "augment": MIRRORED}
    trainers = [make_trainer(changed(**given, accumulate=n), tmp_path / str(n)) for n in (1, 4)]
    for _ in range(6):
        for trainer in trainers:
            trainer.round()
    one, four = map(weights, trainers)
    assert all(torch.allclose(one[name], four[name], atol=1e-5) for name in one)


def test_shared_fakes_are_drawn_once_a_round_and_a_run_with_them_resumes(tmp_path: Path) -> None:
    recipe = changed(network=MLP, loss=SHARED, augment=MIRRORED)
    trainer = make_trainer(recipe, tmp_path / "run")
    generator, drawn = trainer.networks["generator"], []
    generator.register_forward_hook(lambda *_: drawn.append(trainer.progress.rounds))
    for _ in range(3):
        trainer.round()
    assert drawn == [0, 1, 2] and not trainer.kept
    check_gradients(make_trainer(recipe, tmp_path / "gradients"))
    check_resumes(recipe, tmp_path)


def test_a_restored_optimizer_steps_as_the_undisturbed_one_whatever_the_layout_of_its_file() -> None:
    """Checkpoints hold row by row what lies in memory otherwise, and the fused step would mix the two up."""
    weights = [nn.Parameter(torch.ones(4, 3, 2, 2).contiguous(memory_format=torch.channels_last)) for _ in range(2)]
    whole, parts = (torch.optim.AdamW([weight], lr=0.1, fused=True) for weight in weights)
    for step in range(3):
        for weight, optimizer in zip(weights, (whole, parts), strict=True):
            drawn = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(step))
            weight.grad = drawn.contiguous(memory_format=torch.channels_last)
            optimizer.step()
        saved = parts.state_dict()
        rows = {key: value.contiguous() for key, value in saved["state"][0].items()}
        restore_optimizer(parts, {**saved, "state": {0: rows}})
    assert torch.equal(*weights)


def test_a_batch_that_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="must be a multiple, at least twofold, of processes x accumulate = 3; set batch=15"
    ):
        make_trainer(changed(accumulate=3), tmp_path)


def test_a_stage_scales_the_rates_and_writes_its_weights(tmp_path: Path) -> None:
    stages = (Stage(name="first", images=64), Stage(name="still", images=64, learning_rate_scale=0.0))
    recipe = changed(network=MLP, stages=stages, images=128)
    trainer = make_trainer(recipe, tmp_path)
    while trainer.progress.images < 64:
        trainer.round()
        trainer._after_round()
    before = weights(trainer)
    trainer.run()
    assert all(torch.equal(before[name], value) for name, value in weights(trainer).items())
    assert {"first.safetensors", "still.safetensors"} <= {path.name for path in (tmp_path / "model").iterdir()}


def test_the_time_left_goes_by_the_pace_of_the_stage(tmp_path: Path) -> None:
    stages = (Stage(name="fast", images=256), Stage(name="slow", images=256))
    trainer = make_trainer(changed(network=MLP, stages=stages, images=512, batch=16), tmp_path)
    for images, seconds, left in ((240, 15, 17), (256, 16, 16), (272, 26, 150), (384, 96, 80)):
        while trainer.progress.images < images:
            trainer.round()
            trainer.progress.seconds += 1 if trainer.progress.images <= 256 else 10
            trainer._after_round()
        assert trainer.progress.seconds == seconds
        assert trainer._status().seconds_left == pytest.approx(left)


def test_a_turn_is_taken_every_so_many_rounds(tmp_path: Path) -> None:
    trainer = make_trainer(generation.example(), tmp_path)
    for _ in range(4):
        trainer.round()
    assert trainer.meter.counts["discriminator/discriminator/adversarial"] == 4
    assert trainer.meter.counts["r1/discriminator/r1"] == 2


def test_a_budget_of_minutes_is_recorded_as_images(tmp_path: Path) -> None:
    path = tmp_path / "short.yaml"
    path.write_text(dump_yaml(changed(images=10**7)))
    run = gannet.train(str(path), out=tmp_path / "run", set={"minutes": 0.005})
    assert run.ending == "budget"
    assert 0 < run.recipe.images < 10**7 and run.recipe.minutes is None
    assert list(run.log())[-1]["images"] == run.recipe.images
    assert int(sorted((run.folder / "samples").iterdir())[-1].stem) == run.recipe.images
    assert f"{run.recipe.images:,} images" in (run.folder / "report.html").read_text()
    assert gannet.train(resume=run.folder).ending == "finished"


@pytest.mark.parametrize("longer", [{"images": 512}, {"minutes": 9}])
def test_a_run_that_its_budget_ended_goes_on_with_the_stages_that_it_left_out(tmp_path: Path, longer) -> None:
    path = tmp_path / "staged.yaml"
    stages = (Stage(name="first", images=256), Stage(name="last", images=256, learning_rate_scale=0.1))
    path.write_text(dump_yaml(changed(stages=stages, images=512)))
    whole = gannet.train(str(path), out=tmp_path / "whole")
    run = gannet.train(str(path), out=tmp_path / "run", set={"minutes": 1e-6})
    assert [stage.name for stage in run.recipe.stages] == ["first"] and run.planned == whole.recipe
    assert run.unfinished == ("first", "last")
    assert gannet.train(resume=run.folder).ending == "finished" and run.planned == whole.recipe
    again = gannet.train(resume=run.folder, set=longer)
    assert again.ending == "finished" and again.planned == again.recipe and not again.unfinished
    assert again.recipe.stages == whole.recipe.stages and again.recipe.images == 512
    ours, theirs = (one.pipeline().networks["generator"].state_dict() for one in (again, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def poison(trainer: Trainer, at: int, attempts: int) -> None:
    """Make the generator's loss NaN in the round that begins at so many images, in the first attempts."""
    game = trainer.setup.game
    last = game.turns[-1]

    def play(run: Pass) -> Outcome:
        outcome = last.play(run)
        if run.place.images == at and run.place.attempt < attempts:
            return Outcome({"generator": {"adversarial": outcome.losses["generator"]["adversarial"] * float("nan")}})
        return outcome

    trainer.setup = replace(trainer.setup, game=replace(game, turns=(*game.turns[:-1], replace(last, play=play))))


def test_a_nan_goes_back_to_the_last_checkpoint_and_says_so(tmp_path: Path) -> None:
    trainer = make_trainer(generation.example(), tmp_path)
    said: list[str] = []
    ear = Watch(lambda progress, _: said.append(progress.note) if progress.note else None)
    object.__setattr__(trainer.callbacks, "watch", ear)
    poison(trainer, at=240, attempts=1)
    assert trainer.run() == "finished"
    assert len(said) == 1 and "went back to the checkpoint at 128" in said[0]
    assert all(bool(value.isfinite().all()) for value in weights(trainer).values())
    assert [line["images"] for line in logged(tmp_path)] == list(range(64, 513, 64))


def test_a_nan_that_returns_stops_with_advice(tmp_path: Path) -> None:
    trainer = make_trainer(generation.example(), tmp_path)
    poison(trainer, at=240, attempts=99)
    with pytest.raises(ValueError, match="diverged again.*lower learning rates"):
        trainer.run()
    tree = load_tree(trainer.checkpoints.paths()[-1])
    assert tree["progress"]["images"] == 128
    values = [value for value in tensors_of(tree["networks"]).values() if value.is_floating_point()]
    assert all(bool(value.isfinite().all()) for value in values)


def test_an_average_forgets_half_in_its_half_life() -> None:
    network = nn.Linear(3, 2)
    average = RunningAverage({"it": network}, Average(half_life=100, ramp=0.0))
    start = average.networks["it"].weight.clone()
    with torch.no_grad():
        network.weight += 1.0
    for images in range(10, 101, 10):
        average.update({"it": network}, images, 10)
    assert torch.allclose(average.networks["it"].weight, start + 0.5, atol=1e-6)


def test_a_frozen_discriminator_meets_the_rule_and_is_found_out(tmp_path: Path) -> None:
    still = {"generator": Optimizer(learning_rate=2e-3), "discriminator": Optimizer(learning_rate=0.0)}
    recipe = changed(
        optimizer=still,
        loss=Loss(),
        images=6_400,
        referee=RefereeSettings(window=640, every=640),
        average=Average(half_life=100),
    )
    trainer = make_trainer(recipe, tmp_path)
    trainer.run()
    verdict = trainer.setup.observers["referee"].verdict()
    assert verdict["rule"]["state"] == "converged"
    assert verdict["diagnosis"]["state"] not in {"healthy", "too-early"}


def test_a_measured_step_goes_where_any_other_goes_and_tells_the_median_share() -> None:
    """Adam's first step moves every weight by the learning rate, whatever its gradient."""
    networks = [nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 5), nn.Linear(5, 2)) for _ in range(2)]
    for number, layer in enumerate(networks[0]):
        nn.init.constant_(layer.weight, 0.1 * 2**number)
    networks[1].load_state_dict(networks[0].state_dict())
    optimizers = [make_optimizer(network, Optimizer(learning_rate=0.01)) for network in networks]
    for network in networks:
        network(torch.ones(2, 3)).pow(2).sum().backward()
    assert float(measured_step(optimizers[0])) == pytest.approx(0.01 / 0.2, rel=1e-4)
    optimizers[1].step()
    assert all(torch.equal(*pair) for pair in zip(*(network.parameters() for network in networks), strict=True))


def test_steps_are_measured_of_those_who_move_and_go_by_their_rates(tmp_path: Path) -> None:
    steps = {}
    for rate in (1e-3, 1e-5, 0.0):
        optimizer = {"generator": Optimizer(learning_rate=1e-3), "discriminator": Optimizer(learning_rate=rate)}
        trainer = make_trainer(changed(network=MLP, optimizer=optimizer), tmp_path / str(rate))
        trainer.round()
        steps[rate] = trainer.observers["updates"].measures()
    assert steps[1e-3]["discriminator"] == pytest.approx(100 * steps[1e-5]["discriminator"], rel=0.2)
    assert set(steps[1e-5]) == {"generator", "discriminator"} and set(steps[0.0]) == {"generator"}


def test_the_rule_stops_a_run_that_asks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "easy.yaml"
    path.write_text(dump_yaml(changed(referee=RefereeSettings(window=64, every=128, share=0.0, stop_on="rule"))))
    run = gannet.train(str(path), out=tmp_path / "run")
    assert run.ending == "converged" and run.verdict["rule"]["state"] == "converged"
    assert max(line["images"] for line in run.log()) == 64


def test_tensorboard_gets_the_log(tmp_path: Path) -> None:
    event_accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recipe = generation.example()
    trainer = make_trainer(
        recipe.model_copy(update={"log": recipe.log.model_copy(update={"tensorboard": True})}), tmp_path
    )
    trainer.run()
    trainer.logbook.writer.close()
    board = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    board.Reload()
    assert [event.step for event in board.Scalars("referee/fool_rate")] == [line["images"] for line in logged(tmp_path)]


@pytest.mark.parametrize("update", ["alternating", "shared"])
def test_two_processes_give_what_one_gives(update: str, tmp_path: Path) -> None:
    recipe = load_recipe(
        "ring",
        {
            "loss.update": update,
            "images": 640,
            "batch": 64,
            "log.every": 128,
            "checkpoint.every": 320,
            "referee.every": 256,
        },
    )
    path = tmp_path / "ring.yaml"
    path.write_text(dump_yaml(recipe))
    gannet.train(str(path), out=tmp_path / "one")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-port", "0"]
    words = [
        "--standalone",
        "--no-python",
        sys.executable,
        "-m",
        "gannet",
        "train",
        str(path),
        "--out",
        str(tmp_path / "two"),
    ]
    done = subprocess.run([*launcher, *words], capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    one, two = (tensors_of(load_tree(sorted((tmp_path / n / "state").glob("*"))[-1])) for n in ("one", "two"))
    for name, value in one.items():
        if isinstance(value, torch.Tensor):
            assert torch.allclose(value, two[name], atol=1e-4), f"{name} differs by {(value - two[name]).abs().max()}"
    for left, right in zip(logged(tmp_path / "one"), logged(tmp_path / "two"), strict=True):
        for section in ("losses", "referee"):
            assert left[section] == pytest.approx(right[section], abs=2e-2)
