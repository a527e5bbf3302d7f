"""Edges to object: a line drawing becomes a coloured thing.

The network is shown line drawings of photographs (each drawn anew, in thin and thick lines, pencil and ink; the thing
is told from its background and stands on white) and learns what they are of, first pixel by pixel, then against a
discriminator (Isola et al., 2017). Dots or strokes of colour may say what colours are to be. What a user draws, on
paper of any shade, in lines of any width, is first brought to what was learned.
"""

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from gannet.adversarial.similarity import Frozen
from gannet.augmentation.edges import edge_agreement
from gannet.augmentation.line_drawings import standard_drawing
from gannet.media.photograph import Photograph
from gannet.media.tiling import as_tensor, as_values
from gannet.tasks._image_restoration import Evaluation, ImageRestoration, Pairing
from gannet.tasks._image_restoration.evaluation import EDGES, EvaluationPair, colour_figures, draws_for
from gannet.tasks.edges_to_object.learning import Config, drawing_of, things, training_pair
from gannet.tasks.edges_to_object.pipeline import DrawingPipeline


def evaluation_pair(real: Photograph, config: Config) -> EvaluationPair:
    """Draw the edges of a photograph's thing, at the size that is learned from; baselines leave the drawing as it is,
    or fill the thing with its mean colour.
    """
    draws = draws_for(real, "drawing")
    target, thing, _ = things(_shrunk(as_tensor(real.values).expand(-1, 3, -1, -1), config.patch), draws, config)
    drawing = standard_drawing(target, thing)
    mean = (target * thing).sum((2, 3), keepdim=True) / thing.sum((2, 3), keepdim=True).clamp_min(1)
    filled = torch.minimum(torch.lerp(torch.ones_like(target), mean.expand_as(target), thing), drawing)
    made = {"drawing": drawing, "target": target, "filled": filled}
    pictures = {name: Photograph(as_values(picture, "uint8")) for name, picture in made.items()}
    baselines = {"the drawing itself": pictures["drawing"], "the true mean colour": pictures["filled"]}
    return EvaluationPair(pictures["drawing"], pictures["target"], baselines)


def _shrunk(picture: Tensor, side: int) -> Tensor:
    """Bring a picture (1, c, h, w) to so many pixels along its shorter side; smaller ones stay as they are."""
    share = min(1.0, side / min(picture.shape[2:]))
    size = [max(side, round(length * share)) for length in picture.shape[2:]]
    return interpolate(picture, size, mode="bilinear", antialias=True)


@torch.inference_mode()
def figures(made: Photograph, pair: EvaluationPair, perceptual: Frozen | None) -> dict[str, float]:
    """Measure how far colours are from the true ones, and how many of the true edges are found again."""
    ours, theirs = (as_tensor(one.values).expand(-1, 3, -1, -1) for one in (made, pair.target))
    return {EDGES: float(edge_agreement(ours, theirs)), **colour_figures(made, pair, perceptual)}


task = ImageRestoration(
    Config,
    DrawingPipeline,
    Pairing(training_pair, channels=(3,), looks=drawing_of),
    Evaluation(evaluation_pair, figures, "L*a*b* under D65; edges a pixel beside each other at most", all_colours=True),
)
