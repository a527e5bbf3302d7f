"""Augmentation of what the discriminator sees, reals and fakes alike, so that few data last longer.

What is done to both does not leak into the fakes as long as healthy samples stay common among what is seen (Karras et
al., 2020, "Training Generative Adversarial Networks with Limited Data", section 2.2); hence the cap.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field
from torch import Tensor

from gannet.adversarial.adaptive import Adaptive
from gannet.adversarial.game import Observer
from gannet.adversarial.losses import AdversarialLoss
from gannet.augmentation.amount import fitting_augmentation
from gannet.augmentation.draws import Draws
from gannet.augmentation.kinds import KINDS, Chosen, Kind, Strengths, augment, choose_kinds, suited
from gannet.schema import STRICT, Choice, check, choose

CAP, LONGEST_CLIMB, CLIMBS, NEVER_ENOUGH = 0.8, 500_000, 4, -2.0
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Climb: TypeAlias = Annotated[int, Field(ge=1)] | Literal["auto"]
Kinds: TypeAlias = Strengths | list[str] | Literal["auto"]

ADA: Strengths = {
    "flip": 0.5,
    "quarter-turn": 0.75,
    "shift": 0.125,
    "zoom": 1.3,
    "rotation": 180,
    "stretch": 1.3,
    "brightness": 0.2,
    "contrast": 1.6,
    "hue": 180,
    "saturation": 2,
}
"""Pixel blitting, geometry and colour, in about the paper's strengths (appendix B): what served it best."""
DIFFERENTIABLE: Strengths = {"brightness": 0.25, "saturation": 2, "contrast": 1.5, "shift": 0.125, "cutout": 0.5}
"""Colour, translation and cutout (Zhao et al., 2020, "Differentiable Augmentation for Data-Efficient GAN Training")."""


@dataclass(frozen=True)
class DiscriminatorAugment:
    """The discriminator's view of samples: augmented.

    Attributes:
        kinds: what is done to them, each with probability `share()`.
        observer: what steers the share, if anything does.
    """

    kinds: Chosen = ()
    share: Callable[[], float] = lambda: 0.0
    observer: Adaptive | None = None

    def __call__(self, sample: Tensor, draws: Draws) -> Tensor:
        """Give what is seen of samples (b, c, h, w) in a pass."""
        return augment(sample, self.kinds, self.share(), draws)

    @property
    def observers(self) -> dict[str, Observer]:
        """Give what watches the game for it."""
        return {"augmentation": self.observer} if self.observer else {}


@dataclass(frozen=True)
class Augment(ABC):
    """How the discriminator's view is augmented, by the `name` that `augment.name` takes."""

    # Read when a recipe's section is checked: keys that are not fields are refused.
    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: ClassVar[str]

    @abstractmethod
    def resolve(self, channels: int, images: int, pictures: int | None = None) -> "Augment":
        """Replace every `auto` by what so many channels, images of the run, and pictures of the data call for."""

    @abstractmethod
    def view(self, loss: AdversarialLoss, watched: str = "discriminator") -> DiscriminatorAugment:
        """Give the augmented view, once resolved."""


@dataclass(frozen=True)
class Unaugmented(Augment):
    """Samples are seen as they are."""

    name: ClassVar[str] = "none"

    def resolve(self, channels: int, images: int, pictures: int | None = None) -> Self:  # noqa: ARG002
        """Leave it as it is: nothing is open."""
        return self

    def view(self, loss: AdversarialLoss, watched: str = "discriminator") -> DiscriminatorAugment:  # noqa: ARG002
        """Give a view that changes nothing."""
        return DiscriminatorAugment()


@dataclass(frozen=True)
class Fixed(Augment):
    """A share that is climbed to, and then stays as it is.

    A generator that is augmented for from its first picture on may take what is common for what is healthy; one that
    has drawn healthy pictures before goes on to (docs/augmentation.md measures both).
    """

    name: ClassVar[str] = "fixed"

    share: Share = 0.5
    """The probability of each kind; the rest is healthy. Above 0.8 augmentations leak into the fakes."""
    climb: Climb = "auto"
    """Images in which the share goes from 0 to 1; 1: it begins as it stays. `auto`: a quarter of the run, at most
    500,000."""
    kinds: Kinds = "auto"
    """Names, or names with strengths (`{rotation: 15}`); `auto`: pixel blitting, geometry and colour."""

    def resolve(self, channels: int, images: int, pictures: int | None = None) -> Self:  # noqa: ARG002
        """Choose the kinds for so many channels, and a climb that fits the run."""
        return replace(self, kinds=_named(self.kinds, ADA, channels), climb=_climb(self.climb, images))

    def view(self, loss: AdversarialLoss, watched: str = "discriminator") -> DiscriminatorAugment:
        """Give a view augmented by that share."""
        assert self.climb != "auto"
        return _steered(Adaptive(loss, NEVER_ENOUGH, self.share, self.climb, watched), self.kinds)


@dataclass(frozen=True)
class DiffAugment(Augment):
    """Colour, translation and cutout, always (Zhao et al., 2020): strong, simple, for very few data."""

    name: ClassVar[str] = "diffaugment"

    kinds: Kinds = "auto"
    """Names, or names with strengths; `auto`: brightness, saturation, contrast, shift and cutout."""

    def resolve(self, channels: int, images: int, pictures: int | None = None) -> Self:  # noqa: ARG002
        """Choose the kinds for so many channels."""
        return replace(self, kinds=_named(self.kinds, DIFFERENTIABLE, channels))

    def view(self, loss: AdversarialLoss, watched: str = "discriminator") -> DiscriminatorAugment:  # noqa: ARG002
        """Give a view that is always augmented."""
        return DiscriminatorAugment(choose_kinds(self.kinds), lambda: 1.0)


@dataclass(frozen=True)
class Ada(Augment):
    """As much as the discriminator's overfitting calls for (Karras et al., 2020)."""

    name: ClassVar[str] = "ada"

    target: Annotated[float, Field(ge=-1, le=1)] = 0.6
    """E[sign D(real)] that is aimed at: lower augments more."""
    cap: Share = CAP
    """The share is never higher; above 0.8 augmentations leak into the fakes."""
    climb: Climb = "auto"
    """Images in which the share goes from 0 to 1 at the fastest; `auto`: a quarter of the run, at most 500,000."""
    kinds: Kinds = "auto"
    """Names, or names with strengths; `auto`: pixel blitting, geometry and colour."""

    def resolve(self, channels: int, images: int, pictures: int | None = None) -> Self:  # noqa: ARG002
        """Choose the kinds for so many channels, and a climb that fits the run."""
        return replace(self, kinds=_named(self.kinds, ADA, channels), climb=_climb(self.climb, images))

    def view(self, loss: AdversarialLoss, watched: str = "discriminator") -> DiscriminatorAugment:
        """Give a view whose share of augmentation is steered."""
        assert self.climb != "auto"
        return _steered(Adaptive(loss, self.target, self.cap, self.climb, watched), self.kinds)


@dataclass(frozen=True)
class Automatic(Augment):
    """What so many pictures call for: `diffaugment` below 1,000, `ada` below 5,000, else `none`; so for points."""

    name: ClassVar[str] = "auto"

    def resolve(self, channels: int, images: int, pictures: int | None = None) -> Augment:
        """Take the one that so many pictures call for."""
        name = "none" if pictures is None else fitting_augmentation(pictures)
        return AUGMENTS[name]().resolve(channels, images)

    def view(self, loss: AdversarialLoss, watched: str = "discriminator") -> DiscriminatorAugment:  # noqa: ARG002
        """Refuse: there is none before it is resolved."""
        raise AssertionError("resolve it first")


def choose_augment(
    augment: Choice, channels: int, images: int, pictures: int | None, suits: Callable[[Kind], bool] = lambda _: True
) -> Augment:
    """Give how the discriminator sees samples, by a recipe's `augment`, for so many channels, images and pictures.

    Args:
        suits: says which kinds are chosen where the recipe names none.

    Raises:
        ValueError: there is none of that name, or an option is wrong; one sentence.
    """
    options = check(choose(augment.name, AUGMENTS, "augment"), augment.options, "augment")
    resolved: Any = options.resolve(channels, images, pictures)
    if getattr(options, "kinds", "auto") == "auto" and hasattr(resolved, "kinds"):
        kinds = {name: strength for name, strength in resolved.kinds.items() if suits(KINDS[name])}
        resolved = replace(resolved, kinds=kinds)
    return resolved  # type: ignore[no-any-return]


def told_of_moves(augment: Choice) -> str:
    """Say whether pictures are mirrored and turned in a game, by what a recipe resolved `augment` to; nothing where
    they are seen as they are.
    """
    kinds = augment.options.get("kinds")
    if not isinstance(kinds, Mapping):
        return ""
    moved = {
        word: [name for name in names if name in kinds]
        for word, names in (("mirrored", ("flip", "vertical-flip")), ("turned", ("quarter-turn", "rotation")))
    }
    done = " and ".join(f"{word} ({', '.join(names)})" for word, names in moved.items() if names)
    if not done:
        return f"In the game (augment.name={augment.name}) pictures are neither mirrored nor turned."
    return (
        f"In the game (augment.name={augment.name}) pictures are {done}, reals and fakes alike and not always, so that "
        "no fakes come out so; augment.kinds leaves it out."
    )


def _climb(asked: Climb, images: int) -> int:
    return max(1, min(LONGEST_CLIMB, images // CLIMBS)) if asked == "auto" else asked


def _steered(adaptive: Adaptive, kinds: Kinds) -> DiscriminatorAugment:
    return DiscriminatorAugment(choose_kinds(kinds), lambda: adaptive.share, adaptive)


def _named(kinds: Kinds, usual: Strengths, channels: int) -> Strengths:
    """Names with strengths, for pictures of so many channels."""
    asked = suited(usual, channels) if kinds == "auto" else kinds
    chosen = choose_kinds(asked, channels)
    if rough := [kind.name for kind, _ in chosen if not kind.smooth]:
        raise ValueError(
            f"augment.kinds: a generator cannot learn through {rough[0]}; leave it out (`gannet augment` takes it)."
        )
    return {kind.name: strength for kind, strength in chosen}


AUGMENTS: dict[str, type[Augment]] = {kind.name: kind for kind in (Unaugmented, Fixed, DiffAugment, Ada, Automatic)}
"""By the name that `augment.name` takes; their fields are the other keys of `augment`."""
