"""The referee watches the game: it applies the convergence rule it was given, and says apart from it how the game goes.

The rule: *on track* once half of the fakes pass for real, *converged* once a set share of them does, over a window. In
theory the equilibrium is at one half (Goodfellow et al., 2014, proposition 2), so a share near one means a
discriminator that tells nothing apart; the diagnosis says so whatever the rule says.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from gannet.adversarial.game import Curve, Mark, Seen, State
from gannet.adversarial.losses import AdversarialLoss
from gannet.monitoring.audit import Audit
from gannet.monitoring.diagnosis import ENOUGH_LOOKS, Case, Look, diagnose
from gannet.monitoring.light_judgement import LightJudge
from gannet.monitoring.updates import NOBODY, Updates
from gannet.monitoring.words import catalogue

ON_TRACK_SHARE = 0.5


@dataclass(frozen=True)
class Rule:
    """The window in images, the share of fakes that must pass, and the images between two audits."""

    window: int
    share: float
    every: int


class Referee:
    """Keeps the fool rate, the accuracy on reals, r_t = E[sign D(real)] and what the audit finds; gives a verdict.

    Args:
        rule: what converged means.
        loss: says which samples pass for real.
        audit: looks at held-out data and at fresh fakes; returns figures by name. It is called every `rule.every`
            images.
        facts: what the data are like.
        discriminator: whose scores are watched.
        updates: how far the players step; observes each round before the referee does.
    """

    curves = (
        Curve(
            "Fakes that pass for real",
            ("fool_rate",),
            (Mark(0.5, "50 %: on track"), Mark(0.9, "90 %: converged")),
            "The fool rate is the share of fakes that the discriminator takes for real. The convergence rule calls a "
            "run on track from the line at 0.5 on, where theory has the equilibrium, and converged from 0.9 on "
            "(referee.share). It speaks of the game, not of how good the fakes are: a discriminator that is too weak "
            "passes anything, and a good one may keep it below both lines to the end.",
        ),
        Curve(
            "Reals taken for real",
            ("accuracy_train", "accuracy_held_out"),
            about="The share of reals that the discriminator takes for real. Where training samples pass much more "
            "often than held-out ones, it knows them by heart.",
        ),
        Curve(
            "Diversity of the fakes (reals: 1) and energy distance (equal: 0)",
            ("diversity", "energy_distance"),
            (Mark(1.0, "as diverse as reals"),),
            "Diversity is how unlike each other the fakes are, over how unlike each other reals are; the energy "
            "distance is how far fakes lie from held-out reals. A good run ends near 1 and near 0.",
        ),
    )

    def __init__(
        self,
        rule: Rule,
        loss: AdversarialLoss,
        audit: Callable[[], Look],
        facts: Look,
        discriminator: str = "discriminator",
        updates: Updates | None = None,
    ) -> None:
        self.rule, self.loss, self.audit = rule, loss, audit
        self.updates = updates or Updates({})
        self.facts = {"learning_rates": self.updates.rates} | facts
        self.discriminator = discriminator
        self.images = 0
        self.rounds: deque[Tensor] = deque()
        self.batches: deque[int] = deque()
        self.looks: list[Look] = []
        self.state, self.state_since = "too-early", 0
        self.diagnosed_at = 0
        self.diagnosed, *self.also = diagnose(self._case())

    def observe(self, seen: Seen) -> None:
        """Take note of a round's scores; audit when it is time."""
        real, fake = (seen.watched[f"{self.discriminator}/{side}"].float() for side in ("real", "fake"))
        threshold, _ = self.loss.decide(real, fake)
        real_passes, fake_passes = self.loss.pass_for_real(real, fake)
        shares = (fake_passes.float().mean(), real_passes.float().mean(), (real - threshold).sign().mean())
        self.rounds.append(torch.stack(shares))
        self.batches.append(seen.batch)
        while sum(self.batches) - self.batches[0] >= self.rule.window:
            self.rounds.popleft()
            self.batches.popleft()
        if self.images // self.rule.every != seen.images // self.rule.every:
            self._look(seen.images)
        self.images = seen.images

    def measures(self) -> dict[str, float]:
        """Give the figures over the window and of the last audit; applies the rule to them."""
        figures = self._window()
        state = apply_rule(figures["fool_rate"], self.rule.share) if self.full else "too-early"
        if state != self.state:
            self.state, self.state_since = state, self.images
        return {name: value for name, value in self._evidence().items() if isinstance(value, float)}

    def _look(self, images: int) -> None:
        """Audit, and diagnose what all audits show together."""
        steps = {"updates": dict(self.updates.largest)}
        self.looks.append({"images": images} | steps | self._window() | self.audit())
        found = diagnose(self._case())
        if found[0] != self.diagnosed:
            self.diagnosed_at = images
        self.diagnosed, *self.also = found

    def _case(self) -> Case:
        return Case(self.looks, self.facts)

    def _evidence(self) -> Look:
        return (self.looks[-1] if self.looks else {}) | self._window()

    @property
    def light_judge(self) -> LightJudge | None:
        """Who judges the fakes that the audit looks at; None where that shows none."""
        return self.audit.light_judge if isinstance(self.audit, Audit) else None

    @property
    def full(self) -> bool:
        """Whether a whole window has been seen."""
        return sum(self.batches) >= self.rule.window

    @property
    def converged(self) -> bool:
        """Whether the rule is met."""
        return self.state == "converged"

    def verdict(self, language: str = "en") -> dict[str, Any]:
        """Give the verdict in codes and words; `rule` and `diagnosis` are kept apart."""
        words = catalogue(language)
        counts = {"images": self.images, "needed": ENOUGH_LOOKS * self.rule.every}
        evidence = self.facts | self._evidence() | counts | {"share": self.rule.share}
        found = evidence | self._case().evidence()
        spoken = asdict(NOBODY) | found
        return {
            "rule": {
                "state": self.state,
                "words": words["rule"][self.state].format(**evidence),
                "since_images": self.state_since,
            },
            "diagnosis": {
                "state": self.diagnosed,
                "words": words["diagnosis"][self.diagnosed].format(**spoken),
                "since_images": self.diagnosed_at,
            },
            "also": [{"state": name, "words": words["diagnosis"][name].format(**spoken)} for name in self.also],
            "evidence": found | evidence,
            "advice": words["advice"][self.diagnosed].replace(".discriminator.", f".{self.discriminator}."),
        }

    def state_dict(self) -> State:
        """Give everything the referee remembers."""
        return {
            "images": self.images,
            "rounds": list(self.rounds),
            "batches": list(self.batches),
            "looks": self.looks,
            "state": [self.state, self.state_since],
            "diagnosed": [self.diagnosed, self.diagnosed_at, *self.also],
        }

    def load_state_dict(self, state: State) -> None:
        """Go on from `state`."""
        self.images = state["images"]
        self.rounds, self.batches = deque(state["rounds"]), deque(state["batches"])
        self.looks = [dict(look) for look in state.get("looks", [])]  # Older runs kept only the newest audit.
        self.state, self.state_since = state["state"]
        if self.looks:
            self.diagnosed, self.diagnosed_at, *self.also = state["diagnosed"]

    def _window(self) -> dict[str, float]:
        if not self.rounds:
            return {}
        weights = torch.tensor(self.batches, dtype=torch.float32)
        # After a resume the older rounds lie on the CPU, the newer ones on the device.
        rounds = torch.stack([shares.to(self.rounds[-1].device) for shares in self.rounds]).cpu()
        rates = (rounds * weights[:, None]).sum(0) / weights.sum()
        return dict(zip(("fool_rate", "accuracy_real", "r_t"), rates.tolist(), strict=True))


def apply_rule(fool_rate: float, converged_share: float) -> str:
    """Give the rule on the share of fakes that pass: undecided, on-track (one half) or converged (the share set)."""
    if fool_rate >= converged_share:
        return "converged"
    return "on-track" if fool_rate >= ON_TRACK_SHARE else "undecided"
