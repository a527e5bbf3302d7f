"""Each contract fails when what it guards against is planted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from contracts import (
    check_adopted,
    check_equal_states,
    check_gradients,
    check_parts,
    check_saved_equals_live,
    check_signs,
    make_trainer,
)

from gannet.adversarial.game import Outcome, Pass
from gannet.adversarial.losses import LOSSES
from gannet.commands.train import prepare
from gannet.data.samples import noise
from gannet.media import image, label_map
from gannet.media.medium import Field
from gannet.monitoring.referee import Referee
from gannet.recipe import Recipe
from gannet.schema import Choice
from gannet.tasks import generation, segmentation
from gannet.training.trainer import Trainer


def resumed_against_whole(folder: Path) -> None:
    recipe = generation.example()
    make_trainer(recipe, folder / "whole").run()
    first = make_trainer(recipe, folder / "parts")
    while first.progress.images < 200:
        first.round()
        first._after_round()
    first.checkpoint()
    make_trainer(recipe, folder / "parts").run()
    check_equal_states(folder / "whole", folder / "parts")


def test_a_leaking_gradient_is_found(tmp_path: Path) -> None:
    trainer = make_trainer(generation.example(), tmp_path)
    game = trainer.setup.game
    last = game.turns[-1]

    def leak(run: Pass) -> Outcome:
        game.networks["discriminator"].requires_grad_(True)
        last.play(run).losses["generator"]["adversarial"].backward()
        return last.play(run)

    trainer.setup = replace(trainer.setup, game=replace(game, turns=(*game.turns[:-1], replace(last, play=leak))))
    with pytest.raises(AssertionError, match="leaked into discriminator"):
        check_gradients(trainer)


def test_a_player_that_does_not_move_is_found(tmp_path: Path) -> None:
    trainer = make_trainer(generation.example(), tmp_path)
    trainer.optimizers["generator"].step = lambda: None  # type: ignore[method-assign]
    with pytest.raises(AssertionError, match="does not move"):
        check_gradients(trainer)


def test_a_dropped_optimizer_state_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.optim.AdamW, "load_state_dict", lambda *_: None)
    with pytest.raises(AssertionError, match="differs"):
        resumed_against_whole(tmp_path)


def test_a_forgotten_observer_state_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Referee, "load_state_dict", lambda *_: None)
    with pytest.raises(AssertionError):
        resumed_against_whole(tmp_path)


def test_a_forgotten_average_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Trainer._restore

    def forget(trainer: Trainer, state: dict) -> None:
        fresh = {name: network.state_dict() for name, network in trainer.setup.average.networks.items()}
        whole(trainer, {**state, "average": fresh})

    monkeypatch.setattr(Trainer, "_restore", forget)
    with pytest.raises(AssertionError, match="differs"):
        resumed_against_whole(tmp_path)


def test_carried_randomness_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gannet.training.passes.generator", lambda *_: torch.default_generator)
    monkeypatch.setattr("gannet.training.passes.seed_torch", lambda *_: None)
    with pytest.raises(AssertionError, match="differs"):
        resumed_against_whole(tmp_path)


def test_weights_that_are_not_saved_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = make_trainer(generation.example(), tmp_path / "run")
    prepared = prepare(generation.example())
    pipeline = generation.pipeline(prepared.recipe, prepared.description, trainer.setup.average.networks)
    whole = pipeline.tensors
    monkeypatch.setattr(pipeline, "tensors", lambda: {name: tensor * 0 for name, tensor in whole().items()})
    with pytest.raises(AssertionError):
        check_saved_equals_live(pipeline, tmp_path / "model", lambda loaded: loaded(num=5).values)


def test_parts_that_no_field_speaks_of_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    check_parts(segmentation)
    monkeypatch.setattr(segmentation, "media", lambda _: {"picture": image.medium, "map": label_map.medium})
    with pytest.raises(AssertionError, match="other parts"):
        check_parts(segmentation)
    monkeypatch.undo()
    monkeypatch.setattr(
        "gannet.commands.plan.noise", lambda fields, *more: noise({**fields, "map": smaller_map()}, *more)
    )
    with pytest.raises(AssertionError, match="map has another shape"):
        check_parts(segmentation)


def smaller_map() -> Field:
    return label_map.medium.field(8, 8)


def test_options_that_do_not_survive_a_judgement_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    check_adopted(segmentation)
    whole = segmentation.adopt

    def forget(recipe: Recipe, config: Any) -> Recipe:
        return whole(recipe, config).model_copy(update={"task": Choice(name="segmentation")})

    monkeypatch.setattr(segmentation, "adopt", forget)
    with pytest.raises(AssertionError, match="options of the task are lost"):
        check_adopted(segmentation)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_has_the_right_sign_and_a_wrong_one_is_found(name: str) -> None:
    loss = LOSSES[name]
    check_signs(loss)
    with pytest.raises(AssertionError, match="generator's loss"):
        check_signs(replace(loss, generator=lambda real, fake: -loss.generator(real, fake)))
    with pytest.raises(AssertionError, match="discriminator's loss"):
        check_signs(replace(loss, discriminator=lambda real, fake: -loss.discriminator(real, fake)))
