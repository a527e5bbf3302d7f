"""What a pass draws: by where it is in the run, and on the processor where that is asked for."""

import torch
from away import AWAY, stand_in

from gannet.augmentation.kinds import KINDS, augment, choose_kinds
from gannet.training.passes import BatchPass, Place

PLACE = Place(seed=3, attempt=0, images=64, turn="discriminator")
MATRICES = [name for name, kind in KINDS.items() if kind.sort != "pixels"]


def fresh(pictures: torch.Tensor) -> BatchPass:
    """A pass over the second half of a batch of four."""
    return BatchPass({"real": pictures}, PLACE, 4, slice(2, 4))


def test_what_stays_on_the_processor_is_what_would_have_been_drawn_next() -> None:
    pictures = torch.zeros(2, 3, 8, 8)
    one, other = fresh(pictures), fresh(pictures)
    for shape in ((), (5,), (2, 3)):
        assert torch.equal(one.on_processor().uniform(*shape), other.uniform(*shape))
        assert torch.equal(one.normal(*shape), other.on_processor().on_processor().normal(*shape))


def test_pictures_elsewhere_are_moved_by_matrices_that_are_worked_out_on_the_processor() -> None:
    pictures, chosen = torch.rand(2, 3, 8, 8), choose_kinds(MATRICES)
    here = augment(pictures, chosen, 1.0, fresh(pictures))
    with stand_in():
        run = fresh(pictures.to(AWAY))
        assert run.uniform().device.type == AWAY.type and run.on_processor().uniform().device.type == "cpu"
        there = augment(pictures.to(AWAY), chosen, 1.0, fresh(pictures.to(AWAY)))
        assert there.device.type == AWAY.type and torch.equal(there.cpu(), here)
