"""What the inspection finds in data, and what of it in fakes: planted shares and classes come back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import Tensor

from gannet.metrics.distances import energy_distance
from gannet.monitoring.data_checks import CHANGES, find_augmentation, tell_classes
from gannet.monitoring.energy import Between, flat


def digits() -> tuple[Tensor, Tensor]:
    """The embedded digits, (n, 1, 8, 8) in [-1, 1], and their classes."""
    pictures, label = load_digits(return_X_y=True)
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(0))
    return torch.from_numpy(pictures).float().view(-1, 1, 8, 8)[order] / 8 - 1, torch.from_numpy(label).long()[order]


PICTURES, LABEL = digits()
KNOWN, UNKNOWN, OTHERS = PICTURES[:600], PICTURES[600:1000], PICTURES[1000:1600]


def changed(pictures: Tensor, name: str, share: float) -> Tensor:
    """Pictures of which a share is changed."""
    count = round(share * len(pictures))
    return torch.cat([CHANGES[name](pictures[:count], torch.Generator().manual_seed(7)), pictures[count:]])


@given(share=st.floats(0, 1))
@settings(max_examples=15, deadline=None)
def test_the_share_of_a_mixture_comes_back(share: float) -> None:
    turned = CHANGES["negatives"](UNKNOWN, torch.Generator())
    found, explained = Between(flat(UNKNOWN), flat(turned)).share_in(flat(changed(KNOWN, "negatives", share)))
    assert found == pytest.approx(share, abs=0.08)
    assert share < 0.3 or explained == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", ["quarter turns", "negatives", "noise", "cutout", "salt-and-pepper"])
def test_what_was_done_to_most_training_pictures_is_found_by_name_and_share(name: str) -> None:
    found, facts = find_augmentation(changed(KNOWN, name, 0.7), UNKNOWN)
    assert facts["augmentation"] == name and facts["augmented_share"] == pytest.approx(0.7, abs=0.15)
    assert found is not None
    assert found.look(changed(OTHERS, name, 0.7))["leak"] == pytest.approx(0.7, abs=0.15)
    assert abs(float(found.look(OTHERS)["leak"])) < 0.1


def test_nothing_is_found_where_nothing_was_done() -> None:
    found, facts = find_augmentation(KNOWN, UNKNOWN)
    assert found is None and facts["augmentation"] == ""
    assert abs(float(energy_distance(flat(KNOWN), flat(UNKNOWN)))) < 0.05


def test_the_classes_that_fakes_lack_are_named() -> None:
    names = [f"digit {number}" for number in range(10)]
    classes, facts = tell_classes(UNKNOWN, LABEL[600:1000], names)
    assert float(facts["label_accuracy"]) > 0.9 and float(facts["label_chance"]) == pytest.approx(0.1, abs=0.01)
    label = LABEL[1000:1600]
    assert classes.look(OTHERS) == {"modes_lost": 0.0, "lost": ""}
    assert classes.look(OTHERS[(label != 3) & (label != 6)]) == {"modes_lost": 2.0, "lost": "digit 3, digit 6"}


def test_shuffled_labels_agree_as_often_as_chance_has_it_and_no_class_can_be_lost() -> None:
    shuffled = LABEL[600:1000][torch.randperm(400, generator=torch.Generator().manual_seed(1))]
    classes, facts = tell_classes(UNKNOWN, shuffled, [str(number) for number in range(10)])
    assert float(facts["label_accuracy"]) == pytest.approx(float(facts["label_chance"]), abs=0.05)
    assert classes.look(OTHERS[:50])["lost"] == ""
