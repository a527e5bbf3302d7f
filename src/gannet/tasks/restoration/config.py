"""The keys of `task` for restoration."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from gannet.augmentation.damage import DAMAGES
from gannet.networks.unet import Unet
from gannet.runtime.names import at_home
from gannet.schema import Positive, nearest
from gannet.tasks._image_restoration import PhotographConfig
from gannet.tasks.restoration.pieces import kinds_of


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise ValueError(f"there is no damage in it; give some of {', '.join(DAMAGES)}")
    if unknown := [name for name in names if name not in DAMAGES]:
        raise ValueError(f"there is no damage {unknown[0]!r}; {nearest(unknown[0], DAMAGES)}")
    return names


def _is_none(given: object) -> bool:
    return given is None


LEFT_OUT = Field(exclude_if=lambda given: not given)
"""Models and runs of a time when there was no such key stay as they are."""
Sensitivity = Annotated[float, Field(gt=0, lt=1)]
USUAL = 0.5


class Config(PhotographConfig):
    """The keys of `task` for restoration."""

    of_this_machine: ClassVar[tuple[str, ...]] = (*PhotographConfig.of_this_machine, "overlays")

    damages: Annotated[tuple[str, ...], AfterValidator(_known)] = tuple(DAMAGES)
    """What is drawn on photographs to learn from: scratches, tears, stains, dust, hairs, creases, lines across all of
    them, foxing."""
    overlays: Annotated[str, LEFT_OUT] = ""
    """A folder of scanned damage, transparent pictures in a folder for each kind; left out, all damage is drawn."""
    overlay_kinds: Annotated[tuple[str, ...], LEFT_OUT] = ()
    """The kinds of those that are learned from; left out, all."""
    scans: Annotated[Literal["clean", "world"], Field(exclude_if=lambda given: given == "clean")] = "clean"
    """What is searched for damage: `clean` photographs, each kind of damage on half of them, with hard edges; or those
    of the `world`: a quarter undamaged, some printed on, grey or grainy, some damage soft and half-transparent."""
    views: Annotated[Positive, Field(exclude_if=lambda given: given == 1)] = 1
    """How many patches of each photograph are searched in a round: loading it takes longer than a patch does."""
    detector: Annotated[int, Field(ge=1, le=256)] = 16
    """Channels of the first layer of the network that finds damage, 1 to 256."""
    detector_depth: Annotated[int | None, Field(ge=1, le=7, exclude_if=_is_none)] = None
    """How often that network halves the picture; left out, as often as the one that fills."""
    detector_fold: Annotated[Literal[1, 2, 4] | None, Field(exclude_if=_is_none)] = None
    """Squares of so many pixels a side become channels of one pixel in it; left out, as in the one that fills."""
    sensitivity: Annotated[Sensitivity, Field(exclude_if=lambda given: given == USUAL)] = USUAL
    """How readily a pixel is taken for damaged, between 0 and 1: where the probability is above one less this, and
    from even chances on where that touches such a pixel."""

    def unet(self, filling: object) -> Unet:
        """Choose the network that finds damage, by the one that fills."""
        like = filling if isinstance(filling, Unet) else Unet()
        depth, fold = self.detector_depth or like.depth, self.detector_fold or like.fold
        return Unet(self.detector, depth, fold)

    def on_this_machine(self) -> Self:
        """Give the keys with the folder's whole path; ValueError where it, or a kind, is not there."""
        whole = super().on_this_machine()
        if not self.overlays:
            return whole
        there = kinds_of(self.overlays)
        if unknown := [kind for kind in self.overlay_kinds if kind not in there]:
            raise ValueError(f"task.overlay_kinds has {unknown[0]!r}; {self.overlays} has {', '.join(there)}.")
        path = str(at_home(self.overlays).resolve())
        return whole.model_copy(update={"overlays": path, "overlay_kinds": self.overlay_kinds or there})
