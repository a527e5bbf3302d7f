"""Restoration: scratches, tears, stains and dust on old photographs found, and filled with what might have been there.

Two networks learn side by side from damage that is laid over photographs, drawn or scanned: one finds it, in the
photograph and in smaller copies of a large one, the other fills what is lost (Wan et al., 2020, "Bringing Old Photos
Back to Life", has both). What was not damaged comes back untouched, bit for bit. A mask of the user's own goes before
what is found; fading is undone where that is asked for.
"""

from functools import partial

from torch import Tensor
from torch.nn.functional import max_pool2d

from gannet.augmentation.damage import damage
from gannet.augmentation.draws import Draws
from gannet.tasks._image_restoration import Auxiliary, Evaluation, ImageRestoration, Pairing, TrainingPair
from gannet.tasks.inpainting import hole_pair
from gannet.tasks.restoration.config import Config
from gannet.tasks.restoration.detector import (
    DETECTOR,
    SEARCHES,
    Detector,
    faded,
    find_turn,
    found_of_held_out,
    overlap_lacking,
    search,
)
from gannet.tasks.restoration.evaluation import (
    MISTAKEN,
    evaluation_pair,
    figures,
    found_in_photographs,
    found_shares,
)
from gannet.tasks.restoration.pipeline import LARGE, WIDER, RestorationPipeline


def training_pair(pictures: Tensor, draws: Draws, config: Config) -> TrainingPair:
    """Make a picture, faded at times, less some damage; and the whole picture."""
    return hole_pair(faded(pictures, draws), config.patch, draws, partial(_lost, kinds=config.damages))


def _lost(pictures: Tensor, draws: Draws, kinds: tuple[str, ...]) -> Tensor:
    """Draw damage of some kinds, with its edges, (b, 1, h, w)."""
    return max_pool2d(damage(pictures, kinds, draws).lost, 2 * WIDER + 1, 1, WIDER)


task = ImageRestoration(
    Config,
    RestorationPipeline,
    Pairing(training_pair),
    Evaluation(evaluation_pair, figures, "Y of BT.601, eight bits"),
    (Auxiliary(DETECTOR, SEARCHES, find_turn, found_of_held_out, found_in_photographs),),
)

__all__ = [
    "LARGE",
    "MISTAKEN",
    "Config",
    "Detector",
    "RestorationPipeline",
    "found_shares",
    "overlap_lacking",
    "search",
    "task",
    "training_pair",
]
