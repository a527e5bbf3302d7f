"""The game itself: the turns, losses, networks and optimizers of any other, taken one at a time."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gannet.adversarial.game import Game, Pass, Seen, Turn
from gannet.adversarial.losses import find_loss
from gannet.adversarial.two_player import (
    DISCRIMINATOR,
    GENERATOR,
    Discriminator,
    Penalties,
    Scores,
    TwoPlayer,
    of_the_pass,
)
from gannet.commands.plane.distributions import choose_distribution, plane
from gannet.commands.plane.options import PlaneOptions
from gannet.monitoring.audit import Audit, Exhibits
from gannet.monitoring.referee import Referee, Rule
from gannet.monitoring.updates import Updates
from gannet.networks.pair import Pair
from gannet.pipelines.samples import latents
from gannet.recipe import Recipe, load_recipe
from gannet.runtime.plain_data import Json
from gannet.runtime.process import drawing
from gannet.runtime.randomness import address
from gannet.schedule import measures_updates
from gannet.tasks.generation.pipeline import choose_pair
from gannet.training.optimizers import let_move, make_optimizer, measured_step
from gannet.training.passes import BatchPass, Place, mean_losses

PLAYERS = (DISCRIMINATOR, GENERATOR)
SHOWN, CELLS = 256, 32
"""Points of each side that are shown and that the referee looks at, and cells a side of the field that is shown."""
LOOK_EVERY = 25
"""Rounds between two of the referee's looks: a second or so of watching, and a look costs as much as a round or two."""
WIDTH, BATCH = 64, 128
"""Half of those of the recipe `ring`: a round takes half as long, and the ring is covered all the same."""


@dataclass(frozen=True)
class Frame:
    """A game as it stands.

    Attributes:
        images: real points seen.
        fakes: what the generator makes of the same noise each time, (n, 2).
        field: the discriminator's belief, 0 to 1, that a point is real, (cells, cells); rows from the top of the
            plane, where y is highest, columns from the left. One half is the score above which points pass for real.
        fool_rate, accuracy_real: shares of fakes and of held-out reals that pass for real now.
        losses: what each player descended in its last turn; missing before its first.
    """

    images: int
    fakes: Tensor
    field: Tensor
    fool_rate: float
    accuracy_real: float
    losses: dict[str, float]


class PlaneGame:
    """A game of two small networks about points in the plane.

    It goes on whatever is changed of it but the seed and the length of the latent vector, with which it begins anew;
    the referee judges anew after every change but a planted fault, which it is to find out.

    Args:
        options: what is played.
    """

    def __init__(self, options: PlaneOptions) -> None:
        self._begin(options)

    def change(self, options: PlaneOptions) -> None:
        """Play on by other options.

        Raises:
            ValueError: they do not go together with the loss; one sentence.
        """
        before = self.options
        if (options.seed, options.latent) != (before.seed, before.latent):
            self._begin(options)
        elif options != before:
            self._set(options)
            if options != before.model_copy(update={"fault": options.fault}):
                self._appoint()

    def play(self, rounds: int = 1) -> None:
        """Play whole rounds: each player's turn, the discriminator's first.

        Raises:
            ValueError: the game diverged; one sentence.
        """
        for _ in range(rounds):
            self._round(PLAYERS)

    def step(self, player: str) -> None:
        """Let one player alone take its turn.

        Raises:
            ValueError: there is no such player, or the game diverged; one sentence.
        """
        if player not in PLAYERS:
            raise ValueError(f"There is no player {player!r}; allowed: {', '.join(PLAYERS)}.")
        self._round((player,))

    @torch.no_grad()
    def frame(self) -> Frame:
        """Give the game as it stands."""
        fakes = self._fakes({})
        real, fake, cells = self._score(self.held_out), self._score(fakes), self._score(torch.from_numpy(plane(CELLS)))
        real_passes, fake_passes = self.loss.pass_for_real(real, fake)
        thresholds = torch.cat([one.reshape(-1) for one in self.loss.decide(real, fake)])
        field = (cells - thresholds.mean()).sigmoid().nan_to_num(0.5).view(CELLS, CELLS)
        fooled, known = (float(passes.float().mean()) for passes in (fake_passes, real_passes))
        return Frame(self.images, fakes.nan_to_num(0.0), field, fooled, known, dict(self.losses))

    def verdict(self, language: str = "en") -> Json:
        """Give the referee's verdict, in codes and words; its rule is applied to what was seen up to now."""
        self.referee.measures()
        return self.referee.verdict(language)

    def batch(self, images: int) -> dict[str, Tensor]:
        """Give the real points (batch, 2) of the round that begins after so many images."""
        points = self.distribution.points(BATCH, self.options.seed, "real", images)
        return {"real": torch.from_numpy(points)}

    def _begin(self, options: PlaneOptions) -> None:
        self.images, self.losses = 0, dict[str, float]()
        self.recipe = recipe_of(options)
        pair = choose_pair(self.recipe.network)
        with drawing, torch.random.fork_rng(devices=[]):
            torch.manual_seed(address(options.seed, "weights"))
            self.networks = _networks(pair)
        self.parameters = {name: list(network.parameters()) for name, network in self.networks.items()}
        self.optimizers = {
            name: make_optimizer(network, self.recipe.optimizer[name]) for name, network in self.networks.items()
        }
        self.noise = latents(self.networks[GENERATOR], options.seed, 0, SHOWN)
        self._set(options)
        self._appoint()

    def _set(self, options: PlaneOptions) -> None:
        """Let options hold from now on."""
        self.options, self.recipe = options, recipe_of(options)
        self.distribution, self.loss = choose_distribution(options), find_loss(options.loss)
        sides = (self.distribution.points(SHOWN, options.seed, side) for side in ("training", "held-out"))
        self.training, self.held_out = map(torch.from_numpy, sides)
        for player, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.recipe.optimizer[player].learning_rate
        self.game = self._game()

    def _game(self) -> Game:
        players = TwoPlayer(
            self.loss,
            [Discriminator(DISCRIMINATOR, lambda points, _: Scores(self._score(points)), self._seen)],
            prepare=of_the_pass,
            real=lambda run: run.sample["real"],
            generate=lambda run: self._generate(run.normal(self.options.latent)),
        )
        turns = players.turns(Penalties(self.recipe.loss.r1), self.recipe.loss.update)
        return Game(self.networks, turns, (GENERATOR,))

    def _appoint(self) -> None:
        """Appoint a referee, who knows nothing of what was before."""
        rates = {player: self.recipe.optimizer[player].learning_rate for player in PLAYERS}
        self.updates = Updates(rates)
        audit = Audit(
            self._fakes, lambda points, _: self._score(points), self.loss, *_exhibits(self.training, self.held_out)
        )
        rule = Rule(self.recipe.referee.window, self.recipe.referee.share, self.recipe.referee.every)
        facts: Json = {"batch": BATCH, "held_out": SHOWN}
        self.referee, self.appointed_at = Referee(rule, self.loss, audit, facts, updates=self.updates), self.images

    def _generate(self, latent: Tensor) -> Tensor:
        """Map latent vectors (n, latent) to points (n, 2), as far as they reach the generator."""
        points: Tensor = self.networks[GENERATOR](0 * latent if self.options.fault == "mode-collapse" else latent)
        return points

    def _fakes(self, exhibits: Exhibits) -> Tensor:  # noqa: ARG002
        return self._generate(self.noise)

    def _score(self, points: Tensor) -> Tensor:
        logits: Tensor = self.networks[DISCRIMINATOR](points)
        return logits

    def _seen(self, points: Tensor, run: Pass) -> Tensor:
        """Give points as the discriminator sees them."""
        return points + self.options.noise * run.normal(2) if self.options.noise else points

    def _round(self, players: tuple[str, ...]) -> None:
        """Play a round in which these players take their turns."""
        batch, updates = self.batch(self.images), dict[str, Tensor]()
        losses, watched = dict[str, Tensor](), dict[str, Tensor]()
        measured = measures_updates(self.recipe, self.images - self.appointed_at)
        for turn in self.game.turns:
            if set(turn.players) <= set(players):
                taken, seen = self._take(turn, batch)
                self._move(turn, updates if measured else None)
                losses, watched = losses | taken, watched | seen
        self.losses |= {name.split("/")[1]: float(loss) for name, loss in losses.items() if "adversarial" in name}
        self.images += BATCH
        seen_by_all = watched or self._watched(batch)
        since = self.images - self.appointed_at
        for observer in (self.updates, self.referee):
            observer.observe(Seen(since, BATCH, losses, seen_by_all, updates))

    def _take(self, turn: Turn, batch: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Take a turn up to the gradients; give its losses by name, and what is watched in it."""
        place = Place(self.options.seed, 0, self.images, turn.name)
        let_move(self.parameters, turn.players)
        outcome = turn.play(BatchPass(batch, place, BATCH, slice(0, BATCH)))
        for player in turn.players:
            loss = torch.stack(list(outcome.losses[player].values())).sum()
            if not loss.isfinite():
                raise ValueError("The game diverged: a loss is infinite; lower the learning rates, and begin anew.")
            self.optimizers[player].zero_grad(set_to_none=True)
            loss.backward(inputs=self.parameters[player])
        return mean_losses(turn, [outcome]), {name: values.detach() for name, values in outcome.watched.items()}

    def _move(self, turn: Turn, updates: dict[str, Tensor] | None) -> None:
        """Let a turn's players step; note in `updates`, where that is asked for, how far."""
        for player in turn.players:
            if updates is None:
                self.optimizers[player].step()
            else:
                updates[player] = measured_step(self.optimizers[player])

    @torch.no_grad()
    def _watched(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Score both sides where the discriminator had no turn."""
        fakes = self._generate(self.noise[:BATCH])
        return {f"{DISCRIMINATOR}/real": self._score(batch["real"]), f"{DISCRIMINATOR}/fake": self._score(fakes)}


def recipe_of(options: PlaneOptions) -> Recipe:
    """Give the recipe that trains what the options ask for: that of the ring, with narrower networks.

    Raises:
        ValueError: one of its keys would not be allowed; one sentence.
    """
    changes: dict[str, object] = {
        "network.latent": options.latent,
        "network.width": WIDTH,
        "batch": BATCH,
        "loss.name": options.loss,
        "loss.r1": {"weight": options.penalty} if options.penalty else None,
        "optimizer.generator.learning_rate": options.generator_rate,
        "optimizer.discriminator.learning_rate": options.discriminator_rate,
        "referee.every": LOOK_EVERY * BATCH,
        "referee.window": LOOK_EVERY * BATCH,
        "seed": options.seed,
    }
    return load_recipe("ring", changes)


def _networks(pair: Pair) -> dict[str, torch.nn.Module]:
    return {GENERATOR: pair.generator((2,), 0), DISCRIMINATOR: pair.discriminator((2,), 0)}


def _exhibits(*sides: Tensor) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    training, held_out = ({"real": points} for points in sides)
    return training, held_out
