"""Distillation: a model's pictures as what another learns to make (Hinton, Vinyals, Dean, 2015)."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gannet.media.tiling import as_learned
from gannet.pipelines.community import SEED, CommunityPipeline
from gannet.pipelines.hub import load
from gannet.tasks._image_restoration.pipeline import PhotographPipeline


@dataclass(frozen=True)
class Teacher:
    """A model that shows another what to make of pictures.

    Attributes:
        pipeline: the model's.
        channels: of the pictures that it takes.
        scale: how many times larger its pictures are.
    """

    pipeline: PhotographPipeline | CommunityPipeline
    channels: int
    scale: int

    def shown(self, given: Tensor) -> Tensor:
        """Make what is to be learned of pictures (b, c, h, w) in [-1, 1]."""
        with torch.random.fork_rng([given.device] if given.device.type == "cuda" else []):
            torch.manual_seed(SEED)  # Some draw, and what they draw must not hang on what was drawn before.
            made = as_learned(given, self.channels, self.pipeline.to(given.device).compute)
        return made.clamp(-1, 1).to(given.device).clone()  # What was made in inference alone takes no part in learning.


@lru_cache(maxsize=4)
def find_teacher(name: str, strength: float | None) -> Teacher:
    """Load a model that takes photographs alone; ValueError where it is none.

    Args:
        name: a path, a shipped model's name, `hf:owner/name`, or the file of a community network.
        strength: as `gannet apply --strength` has it; None: as the model is.
    """
    pipeline: Any = load(name)
    if not isinstance(pipeline, PhotographPipeline | CommunityPipeline) or list(pipeline.inputs) != ["photograph"]:
        raise ValueError(f"task.teacher={name} is a model for {pipeline.task}; give one that enlarges photographs.")
    tuned = pipeline.tuned(pipeline.options({} if strength is None else {"strength": strength}))
    if isinstance(tuned, CommunityPipeline):
        return Teacher(tuned, tuned.settings.channels, tuned.settings.scale)
    settings: Any = tuned.config
    return Teacher(tuned, settings.description.shape[0], tuned.enlarged(1))
