"""Holes are of every breadth, and of the share of a picture that is asked for."""

import torch
from torch.nn.functional import max_pool2d

from gannet.augmentation.draws import Drawn
from gannet.augmentation.holes import blots, varied_holes, writing

COUNT = 64


def draws() -> Drawn:
    return Drawn(COUNT, torch.Generator().manual_seed(0))


def test_varied_holes_are_of_every_breadth_up_to_half_of_a_picture() -> None:
    lost = varied_holes(torch.zeros(COUNT, 3, 192, 160), draws())
    assert lost.shape == (COUNT, 1, 192, 160) and set(lost.unique().tolist()) == {0.0, 1.0}
    shares = lost.mean((1, 2, 3))
    assert float(shares.max()) < 0.75 and float((shares > 0.25).float().mean()) > 0.15
    opened = -max_pool2d(-lost, 7, 1)  # What is left of holes broader than six pixels.
    thin = (opened.flatten(1).sum(1) == 0) & (shares > 0)
    assert 0.25 < float(thin.float().mean()) < 0.65


def test_blots_take_the_share_of_a_picture_that_is_asked_for() -> None:
    shares = blots(torch.zeros(COUNT, 3, 64, 64), draws(), 0.2, 0.5).mean((1, 2, 3))
    assert float(shares.min()) > 0.17 and float(shares.max()) < 0.53 and float(shares.std()) > 0.05


def test_what_is_written_lies_in_lines_and_each_picture_has_its_own() -> None:
    page = writing(torch.zeros(COUNT, 1, 100, 130), draws())
    assert page.shape == (COUNT, 1, 100, 130)
    assert 0.02 < float(page.mean()) < 0.25
    assert len({tuple(one.flatten().tolist()) for one in page}) == COUNT
    lines = page[:, 0, :96].reshape(COUNT, 4, 24, 130).amax((2, 3))
    assert 0.3 < float(lines.mean()) < 0.75, "some lines are empty, most are not"
