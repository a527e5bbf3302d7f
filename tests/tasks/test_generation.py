"""Generation: what it learns from, and what it holds out."""

import numpy as np
import pytest

from gannet.commands.train import configure, prepare, split_of
from gannet.data.loader import Loader
from gannet.tasks import generation


def loaders(**changes: object) -> tuple[Loader, Loader]:
    recipe = generation.example()
    data = recipe.data.model_copy(update={key: value for key, value in changes.items() if key == "limit"})
    prepared = prepare(recipe.model_copy(update={"data": data, "seed": changes.get("seed", 0)}))
    split = split_of(prepared)
    return split.training, split.held_out


def test_a_limit_draws_so_many_of_the_training_samples_and_leaves_the_held_out_ones_alone() -> None:
    (whole, held_out), (few, same_held_out) = loaders(), loaders(limit=50)
    assert len(few) == 50 and set(few.chosen) < set(whole.chosen)
    assert np.array_equal(held_out.chosen, same_held_out.chosen)


def test_the_limited_samples_follow_from_the_seed() -> None:
    assert np.array_equal(loaders(limit=50)[0].chosen, loaders(limit=50)[0].chosen)
    assert not np.array_equal(loaders(limit=50)[0].chosen, loaders(limit=50, seed=1)[0].chosen)


def test_a_limit_above_what_there_is_takes_all() -> None:
    assert len(loaders(limit=10**6)[0]) == len(loaders()[0])


@pytest.mark.parametrize(
    ("source", "changes", "name"),
    [
        ("digits", {}, "ada"),
        ("digits", {"data.limit": 500}, "diffaugment"),
        ("digits", {"data.limit": 500, "augment.name": "none"}, "none"),
        ("ring", {"network.name": "mlp"}, "none"),
    ],
)
def test_a_recipe_of_ones_own_pictures_augments_as_so_few_of_them_call_for(
    source: str, changes: dict[str, object], name: str
) -> None:
    prepared = prepare(configure("images", source, changes, ""))
    assert prepared.recipe.augment.name == name
    assert "pictures" not in prepared.description.model_dump(), "what a resumed run does not count would be saved"
