"""The only training loop: it plays any game, turn by turn, and loses nothing when it is killed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gannet.adversarial.game import Game, Losses, Observer, Outcome, Seen, Turn
from gannet.data.loader import Samples
from gannet.recipe import Optimizer, Recipe
from gannet.runtime.process import deterministic, drawing
from gannet.runtime.signals import Interruption
from gannet.runtime.wording import reason
from gannet.schedule import crossed, measures_updates, position, total_images
from gannet.training.callbacks import Callbacks, Status
from gannet.training.checkpoint import NOTHING_YET, CheckpointFolder, better
from gannet.training.distributed import RunningAverage, environment, gather, share_buffers, share_gradients, slices
from gannet.training.logbook import Logbook
from gannet.training.meter import Meter
from gannet.training.optimizers import let_move, make_optimizer, measured_step, restore_optimizer
from gannet.training.passes import BatchPass, Place, RoundCache, joined, mean_losses, moved

STOPPING = "Stopping, once this round is over and saved; press Ctrl-C again to leave at once, without that."
"""Said as soon as Ctrl-C is pressed, for a round of a large game takes minutes."""
ASKED = 2
"""The reason to stop that is a request; with a signal's number added where one asked."""


@dataclass(frozen=True)
class TrainingSetup:
    """The game with its running average and its observers; `judged_by` names the measure that finds the best."""

    game: Game
    average: RunningAverage
    observers: Mapping[str, Observer]
    judged_by: str = ""


@dataclass
class Progress:
    """What a run has come to; saved with every checkpoint. The last line of the log is about the images looked at."""

    images: int = 0
    rounds: int = 0
    attempt: int = 0
    seconds: float = 0.0
    looked_at: int = -1


class Trainer:
    """Plays a game to its end, and resumes bit for bit on the same machine, threads and precision.

    Args:
        recipe: resolved; how long, in which stages, with which optimizers.
        setup: the game, its running average and its observers.
        loader: the training samples.
        fabric: launched; places, casts and shares.
        folder: the run's folder.
        callbacks: show, publish and say when the rule is met.
    """

    def __init__(
        self,
        recipe: Recipe,
        setup: TrainingSetup,
        loader: Samples,
        fabric: Fabric,
        folder: Path,
        callbacks: Callbacks,
    ) -> None:
        self.recipe, self.setup, self.loader, self.fabric = recipe, setup, loader, fabric
        loader.pins = fabric.device.type == "cuda"
        self.folder, self.callbacks = folder, callbacks
        self.networks = setup.game.networks
        # Listed once: to walk through the modules takes milliseconds, and a round of small networks not many more.
        self.parameters = {name: list(network.parameters()) for name, network in self.networks.items()}
        self.optimizers = {
            player: make_optimizer(self.networks[player], recipe.optimizer.get(player, Optimizer()))
            for player in sorted({player for turn in setup.game.turns for player in turn.players})
        }
        self.meter = Meter(fabric)
        self.observers: dict[str, Observer] = {"losses": self.meter, **setup.observers}
        self.slices = slices(recipe, fabric)
        # Passes are cut into parts to save memory, and what turns share of each is then made again.
        self.keeps, self.kept = len(self.slices) == 1, RoundCache()
        self.checkpoints = CheckpointFolder(folder / "state", recipe.checkpoint.keep)
        if fabric.is_global_zero:
            self.checkpoints.prepare()
        board = folder / "tensorboard" if recipe.log.tensorboard and fabric.is_global_zero else None
        self.logbook = Logbook(folder / "log.jsonl", board, callbacks.notify)
        self.progress, self.best, self.measured = Progress(), dict(NOTHING_YET), dict[str, float]()
        self.rolled_back_to = -1
        self.paced_from = self.progress
        self.interruption = Interruption(STOPPING if fabric.is_global_zero else "")
        self.signal, self.stopping = 0, False

    def run(self) -> str:
        """Play on to the end; returns `finished`, `budget`, `converged` or `interrupted`.

        Raises:
            ValueError: the game diverged again after a rollback, the disk is full, or a checkpoint is damaged.
        """
        resumed = self.resume()
        self.paced_from = replace(self.progress)
        self.fabric.barrier()  # Or a slow process would find the checkpoint that a fast one is about to write.
        if not resumed:
            self.checkpoint()
        with self.interruption, deterministic():
            mark = time.monotonic()
            if reason := self._reason_to_stop():
                self._leave(reason)
            while not reason:
                self.round()
                mark = self._clock(mark)
                reason = self._after_round()
            return reason

    def _clock(self, mark: float) -> float:
        now = time.monotonic()
        self.progress.seconds += now - mark
        return now

    def round(self) -> None:
        """Play one round: every turn that is due, the average, the observers."""
        with deterministic():
            self._round()

    def _round(self) -> None:
        recipe, progress = self.recipe, self.progress
        stage = position(recipe, progress.images).stage
        for player, optimizer in self.optimizers.items():
            rate = recipe.optimizer.get(player, Optimizer()).learning_rate * stage.learning_rate_scale
            optimizer.param_groups[0]["lr"] = rate
        batches = [self._load(part) for part in self.slices]
        losses: dict[str, Tensor] = {}
        watched: dict[str, Tensor] = {}
        updates: dict[str, Tensor] = {}
        measured = measures_updates(recipe, progress.images)
        try:
            for turn in self.setup.game.turns:
                if turn.due(progress.rounds, stage.name):
                    outcomes = self._take(turn, batches, updates if measured else None)
                    losses |= mean_losses(turn, outcomes)
                    watched |= joined(outcomes)
        finally:
            self.kept.clear()
        progress.images += recipe.batch
        progress.rounds += 1
        self.setup.average.update(self.networks, progress.images, recipe.batch)
        seen = Seen(progress.images, recipe.batch, losses, gather(watched, self.fabric), updates)
        for observer in self.observers.values():
            observer.observe(seen)

    def _load(self, part: slice) -> dict[str, Tensor]:
        batch = self.loader.batch(self.progress.images + part.start, part.stop - part.start, self._stride)
        return {name: moved(tensor, self.fabric.device) for name, tensor in batch.items()}

    @property
    def _stride(self) -> int:
        """From one slice that this process loads to its next: within the round, or to the next round."""
        return self.recipe.batch if len(self.slices) == 1 else self.slices[0].stop - self.slices[0].start

    def _take(
        self, turn: Turn, batches: list[dict[str, Tensor]], updates: dict[str, Tensor] | None = None
    ) -> list[Outcome]:
        """Take a turn: freeze the others, descend the players' losses, share, step."""
        place = Place(self.recipe.seed, self.progress.attempt, self.progress.images, turn.name)
        for player in turn.players:
            self.optimizers[player].zero_grad(set_to_none=True)
        outcomes = []
        let_move(self.parameters, turn.players, turn.records if self.keeps else ())
        for part, batch in zip(self.slices, batches, strict=True):
            with drawing, self.fabric.autocast():
                run = BatchPass(batch, place, self.recipe.batch, part, self.kept if self.keeps else {})
                run.seed()
                outcome = turn.play(run)
            self._descend(turn, outcome.losses)
            outcomes.append(outcome)
        self._step(turn, updates)
        return outcomes

    def _step(self, turn: Turn, updates: dict[str, Tensor] | None) -> None:
        """Share gradients and step; note in `updates` each player's largest step so far, where that is asked for."""
        for player in turn.players:
            share_gradients(self.parameters[player], self.fabric)
            if updates is None:
                self.optimizers[player].step()
            else:
                size = measured_step(self.optimizers[player])
                updates[player] = torch.maximum(size, updates.get(player, size))

    def _descend(self, turn: Turn, losses: Losses) -> None:
        assert set(losses) == set(turn.players), f"turn {turn.name!r} must return losses for exactly its players"
        for index, player in enumerate(turn.players):
            loss = torch.stack([value.float() for value in losses[player].values()]).sum() / len(self.slices)
            more = index + 1 < len(turn.players)
            # Gradients go to this player's parameters only, even when several move from one shared pass.
            loss.backward(inputs=self.parameters[player], retain_graph=more)

    def _after_round(self) -> str:
        """Read, publish and save what is due; give the reason to leave, empty to go on."""
        recipe, images = self.recipe, self.progress.images
        before = images - recipe.batch
        last = images >= total_images(recipe)
        stage_over = bool(recipe.stages) and position(recipe, before).ends_at <= images
        looks = crossed(before, images, recipe.log.every) or last
        saves = crossed(before, images, recipe.checkpoint.every) or last
        checked = looks or saves or stage_over
        if checked and not self._sound():
            return ""
        if looks:
            self._look()
        if self.fabric.is_global_zero:
            self.callbacks.show(self._status())
        reason = self._reason_to_stop()
        if reason and not checked and not self._sound():
            return ""
        if stage_over:
            self._publish(position(recipe, before).stage.name)
            self.paced_from = replace(self.progress)  # The next stage has a pace of its own.
        if reason:
            self._leave(reason)
        elif saves:
            self.checkpoint()
        return reason

    def _look(self) -> None:
        """Read every observer and write a line of the log."""
        self.progress.looked_at = self.progress.images
        measured = {name: observer.measures() for name, observer in self.observers.items()}
        self.measured = {f"{name}/{key}": value for name, figures in measured.items() for key, value in figures.items()}
        if self.fabric.is_global_zero:
            status = self._status()
            clock = {
                "seconds": round(status.seconds, 2),
                "images_per_second": round(status.images / status.seconds, 1) if status.seconds else 0.0,
            }
            stage = position(self.recipe, self.progress.images - 1).stage.name
            self.logbook.append(self.progress.images, {"stage": stage, **_filled(measured), "clock": clock})

    def _status(self) -> Status:
        progress, total = self.progress, total_images(self.recipe)
        start = self.paced_from if self.paced_from.images < progress.images else Progress()
        seconds = progress.seconds - start.seconds
        speed = (progress.images - start.images) / seconds if seconds > 0 else 0.0
        left = max(0, total - progress.images) / speed if speed else 0.0
        if self.recipe.minutes is not None:
            left = min(left, max(0.0, 60 * self.recipe.minutes - progress.seconds))
        return Status(
            progress.images,
            total,
            seconds=progress.seconds,
            images_per_second=speed,
            seconds_left=left,
            measures=self.measured,
        )

    def _reason_to_stop(self) -> str:
        images, recipe = self.progress.images, self.recipe
        self.stopping = self.stopping or self.callbacks.should_stop()
        looked = crossed(images - recipe.batch, images, recipe.log.every)
        if images >= total_images(recipe):
            return "finished"
        if looked and recipe.referee.stop_on == "rule" and self.callbacks.rule_met():
            return "converged"
        spent = recipe.minutes is not None and self.progress.seconds >= 60 * recipe.minutes
        asked = self.interruption.asked
        reason = ASKED + asked if asked or self.stopping else int(spent)
        if self.fabric.world_size > 1:
            reason = self._agree(reason) if looked else 0
        self.signal = max(0, reason - ASKED)
        return ("", "budget", "interrupted")[min(reason, ASKED)]

    def _agree(self, reason: int) -> int:
        """The most urgent reason that any process has, so that all leave after the same round."""
        agreed = self.fabric.all_reduce(torch.tensor(reason, device=self.fabric.device), reduce_op="max")
        assert isinstance(agreed, Tensor)
        return int(agreed)

    def _leave(self, reason: str) -> None:
        """Save what is not saved yet; the checkpoint comes last, so that with it a run is over, whoever kills it."""
        newest, images = int(self.checkpoints.paths()[-1].stem), self.progress.images
        self.fabric.barrier()
        # An interrupted run goes on, and its log must be that of a whole one.
        ends_unlogged = reason != "interrupted" and self.progress.looked_at != images
        if newest == images and not ends_unlogged:
            return
        if ends_unlogged:
            self._look()
        if self.fabric.is_global_zero:
            self.callbacks.close(images)
        self.checkpoint(reason)

    def _sound(self) -> bool:
        """Whether all is finite; when it is not, go back to the last good checkpoint, once."""
        bad = not (self.meter.finite and all(_finite(network) for network in self.networks.values()))
        if self.fabric.world_size > 1:
            bad = bool(self._agree(int(bad)))
        if not bad:
            return True
        images, back_to = self.progress.images, int(self.checkpoints.paths()[-1].stem)
        if back_to == self.rolled_back_to:
            raise ValueError(
                f"The game diverged again (NaN or infinite values by {images:,} images, after going back to "
                f"{back_to:,}); the checkpoint is intact: continue it with lower learning rates (--from), "
                "a stronger loss.r1, or precision=32."
            )
        attempt = self.progress.attempt + 1
        self.resume()
        self.fabric.barrier()
        self.rolled_back_to, self.progress.attempt = back_to, attempt
        if self.fabric.is_global_zero:
            words = f"NaN or infinite values by {images:,} images: went back to the checkpoint at {back_to:,}."
            self.callbacks.notify(words + " Trying again with other noise.")
        return False

    def checkpoint(self, ending: str = "") -> None:
        """Save everything needed to go on, and how the run ended if it did; publish the averaged networks."""
        share_buffers({**self.networks, **self.setup.average.networks}, self.fabric)
        self.meter.share()
        score = self.measured.get(self.setup.judged_by, float("nan"))
        improved = better(score, self.best)
        if improved:
            self.best = {"images": self.progress.images, "score": score}
        # Published first: killed in between, a resumed run publishes the same again.
        self._publish("model")
        if improved:
            self._publish("best")
        if self.fabric.is_global_zero:
            self.checkpoints.save(self.progress.images, {**self._state(), "ending": ending})
        self.fabric.barrier()

    def _publish(self, name: str) -> None:
        if self.fabric.is_global_zero:
            self.callbacks.publish(name)

    def _state(self) -> dict[str, Any]:
        return {
            "progress": vars(self.progress),
            "best": self.best,
            "measured": self.measured,
            "log": self.logbook.length,
            "environment": environment(self.fabric),
            "networks": {name: network.state_dict() for name, network in self.networks.items()},
            "average": {name: network.state_dict() for name, network in self.setup.average.networks.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "observers": {name: observer.state_dict() for name, observer in self.observers.items()},
        }

    def resume(self) -> bool:
        """Go on from the newest checkpoint; False when there is none and the run starts from zero."""
        state = self.checkpoints.newest()
        if state is None:
            self.logbook.cut(0)
            return False
        try:
            self._restore(state)
        except (RuntimeError, KeyError, TypeError, AttributeError) as error:
            words = f"The checkpoint in {self.folder / 'state'} is of another game: {reason(error)}"
            raise ValueError(words) from None
        now = environment(self.fabric)
        changed = [name for name in now if now[name] != state["environment"].get(name)]
        if changed and self.fabric.is_global_zero:
            self.callbacks.notify(f"Resuming, but not bit for bit: {', '.join(changed)} changed since the checkpoint.")
        return True

    def _restore(self, state: dict[str, Any]) -> None:
        for name, network in self.networks.items():
            network.load_state_dict(state["networks"][name])
        for name, network in self.setup.average.networks.items():
            network.load_state_dict(state["average"][name])
        for name, optimizer in self.optimizers.items():
            restore_optimizer(optimizer, state["optimizers"][name])
        for name, observer in self.observers.items():
            # An observer that an earlier version did not have starts from nothing; others miss their keys.
            observer.load_state_dict(state["observers"].get(name, {}))
        # What an earlier version saved last it had logged.
        for name, value in {"looked_at": state["progress"]["images"], **state["progress"]}.items():
            setattr(self.progress, name, value)
        self.best, self.measured = dict(state["best"]), dict(state["measured"])
        if self.fabric.is_global_zero:
            self.logbook.cut(state["log"])


def _finite(network: nn.Module) -> bool:
    return all(bool(parameter.isfinite().all()) for parameter in network.parameters())


def _filled(measured: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {name: figures for name, figures in measured.items() if figures}
