"""Averages by powers of the images seen, and what is kept of them while a run lasts."""

from pathlib import Path

import pytest
import torch
from contracts import check_resumes, make_trainer
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gannet.adversarial.game import Seen
from gannet.commands.average import add_up
from gannet.recipe import Average, Recipe
from gannet.runtime.files import load_tree
from gannet.schema import Choice
from gannet.tasks import generation
from gannet.training.power_averages import (
    FIRST_ROUNDS,
    MOST_SNAPSHOTS,
    ROUNDING,
    PowerAverages,
    snapshot_interval,
    snapshots,
)
from gannet.training.profiles import Profile, combine, exponent

WIDTHS, BATCH, NUMBERS = (0.05, 0.1, 0.2), 10, 40


class Walk:
    """A network whose weights walk at random, and all that they have been."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.network = nn.Linear(NUMBERS, 1, bias=False)
        nn.init.zeros_(self.network.weight)
        self.random = torch.Generator().manual_seed(seed)
        self.averages = PowerAverages({"it": self.network}, WIDTHS, BATCH, folder)
        self.path: list[Tensor] = []
        self.averaged = [0]

    def go(self, rounds: int) -> "Walk":
        for _ in range(rounds):
            with torch.no_grad():
                self.network.weight += torch.randn(1, NUMBERS, generator=self.random)
            self.path.append(self.network.weight.detach().clone()[0].double())
            self.averages.observe(Seen(len(self.path) * BATCH, BATCH, {}, {}))
            if self.averages.images > self.averaged[-1]:
                self.averaged.append(self.averages.images)
        return self

    def directly(self, width: float, moments: list[int]) -> Tensor:
        """The average of the weights after some moments, each for all images since the one before."""
        edges = torch.tensor(moments, dtype=torch.float64) / moments[-1]
        shares = (edges ** (exponent(width) + 1)).diff()
        return sum(share * self.path[images // BATCH - 1] for share, images in zip(shares, moments[1:], strict=True))

    @property
    def reach(self) -> float:
        """How far the weights have come from where they began."""
        return float((self.path[-1] - self.path[0]).norm())


def test_an_average_is_the_sum_by_its_profile(tmp_path: Path) -> None:
    walk = Walk(tmp_path / "averages").go(500)
    for width, average in walk.averages.averages.items():
        assert torch.allclose(average["it.weight"][0].double(), walk.directly(width, walk.averaged), atol=1e-3)


def test_the_longer_a_run_the_rarer_it_averages_and_that_changes_little(tmp_path: Path) -> None:
    walk = Walk(tmp_path / "averages").go(2_000)
    late = [one for one in walk.averaged if one > 10_000]
    assert len(walk.averaged) < 900 and len(late) / 1_000 < 0.3
    for width, average in walk.averages.averages.items():
        each = walk.directly(width, list(range(0, walk.averages.images + 1, BATCH)))
        assert float((average["it.weight"][0].double() - each).norm()) < 0.02 * walk.reach


def reconstructed(walk: Walk, width: float) -> Tensor:
    now = walk.averages.state_dict()
    earlier = [(images, load_tree(path)["averages"]) for images, path in snapshots(walk.averages.folder)]
    earlier = [(images, kept) for images, kept in earlier if images < now["images"]]
    profiles = [Profile(images, one, ROUNDING) for images, _ in earlier for one in WIDTHS]
    profiles += [Profile(now["images"], one) for one in WIDTHS]
    shares, _ = combine(profiles, Profile(now["images"], width))
    kept = [kept[one] for _, kept in (*earlier, (0, now["averages"])) for one in WIDTHS]
    return add_up(zip(shares, kept, strict=True))["it.weight"][0].double()


@settings(max_examples=20)
@given(st.integers(0, 2**20), st.floats(0.05, 0.2), st.integers(8 * FIRST_ROUNDS, 600))
def test_a_width_between_is_made_of_what_was_kept(
    tmp_path_factory: pytest.TempPathFactory, seed: int, width: float, rounds: int
) -> None:
    walk = Walk(tmp_path_factory.mktemp("walk") / "averages", seed).go(rounds)
    off = reconstructed(walk, width) - walk.directly(width, walk.averaged)
    spread = torch.stack(walk.path).std(0).norm()
    assert float(off.norm()) < 0.01 * float(spread)


def test_what_never_moves_stays_where_it_is(tmp_path: Path) -> None:
    walk = Walk(tmp_path / "averages")
    with torch.no_grad():
        walk.network.weight += 1000.0
    still = walk.network.weight.detach().clone()
    for images in range(BATCH, 400 * BATCH, BATCH):
        walk.averages.observe(Seen(images, BATCH, {}, {}))
    walk.path = [still[0].double()] * 400
    # Half precision holds a thousand and one to within a half.
    assert torch.allclose(reconstructed(walk, 0.07), still[0].double(), atol=0.5)


@given(st.integers(1, 10**6), st.integers(0, 10**5))
def test_snapshots_are_few_and_even_and_none_that_is_missed_later_was_removed(rounds: int, more: int) -> None:
    def held(rounds: int) -> set[int]:
        interval = snapshot_interval(rounds, FIRST_ROUNDS)
        return set(range(interval, rounds + 1, interval))

    assert len(held(rounds)) <= MOST_SNAPSHOTS
    assert len(held(rounds)) >= MOST_SNAPSHOTS / 2 or rounds < FIRST_ROUNDS * MOST_SNAPSHOTS
    assert {one for one in held(rounds + more) if one <= rounds} <= held(rounds)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("rounds", [81, 300])
def test_a_run_that_was_killed_after_it_let_go_of_snapshots_comes_to_the_same(tmp_path: Path, rounds: int) -> None:
    """It goes on from before that, when its folder already holds what comes later, and lacks every second one."""
    whole = Walk(tmp_path / "whole").go(rounds)
    killed = Walk(tmp_path / "parts").go(63)
    saved = {
        "images": killed.averages.images,
        "averages": {
            width: {name: tensor.clone() for name, tensor in average.items()}
            for width, average in killed.averages.averages.items()
        },
    }
    weights, random = killed.network.weight.detach().clone(), killed.random.get_state()
    killed.go(17)
    again = Walk(tmp_path / "parts")
    again.path = killed.path[:63]
    with torch.no_grad():
        again.network.weight.copy_(weights)
    again.random.set_state(random)
    again.averages.load_state_dict(saved)
    assert all(images <= 630 for images, _ in snapshots(tmp_path / "parts"))
    again.go(rounds - 63)
    assert content(tmp_path / "parts") == content(tmp_path / "whole")
    for width, average in whole.averages.averages.items():
        assert torch.equal(average["it.weight"], again.averages.averages[width]["it.weight"])


def test_what_was_kept_by_nobody_begins_with_the_weights_as_they_are(tmp_path: Path) -> None:
    walk = Walk(tmp_path / "averages")
    walk.averages.load_state_dict({})
    walk.go(1)
    assert all(torch.equal(average["it.weight"], walk.network.weight) for average in walk.averages.averages.values())


def test_numbers_that_half_precision_does_not_hold_and_counts_are_kept_whole(tmp_path: Path) -> None:
    network = nn.BatchNorm1d(3)
    averages = PowerAverages({"it": network}, WIDTHS, BATCH, tmp_path / "averages")
    network.running_var.fill_(1e6)
    network.num_batches_tracked += 7
    averages.observe(Seen(FIRST_ROUNDS * BATCH, BATCH, {}, {}))
    ((_, path),) = snapshots(tmp_path / "averages")
    kept = load_tree(path)["averages"][0.1]
    assert kept["it.running_var"].tolist() == [1e6] * 3 and kept["it.weight"].dtype == torch.float16
    assert int(kept["it.num_batches_tracked"]) == 7


def test_a_variance_stays_one_and_other_numbers_may_be_negative() -> None:
    def of(variance: float, weight: float, count: int) -> dict[str, Tensor]:
        return {"variance": torch.tensor([variance]), "weight": torch.tensor([weight]), "count": torch.tensor(count)}

    made = add_up([(-0.5, of(100.0, 1.0, 3)), (1.5, of(1.0, -1.0, 9))])
    assert float(made["variance"]) == 0 and float(made["weight"]) == -2 and int(made["count"]) == 9
    assert made["variance"].dtype == torch.float32


def with_widths(**updates: object) -> Recipe:
    mlp = Choice(name="mlp", width=16, depth=1, latent=4)
    return generation.example().model_copy(update={"network": mlp, "average": Average(widths=WIDTHS), **updates})


def test_a_run_that_was_stopped_ends_in_the_same_averages_and_snapshots(tmp_path: Path) -> None:
    check_resumes(with_widths(), tmp_path)
    assert content(tmp_path / "whole" / "averages") == content(tmp_path / "parts" / "averages")
    state = load_tree(sorted((tmp_path / "whole" / "state").iterdir())[-1])
    assert list(state["observers"]["averages"]["averages"]) == list(WIDTHS)


def test_averages_change_nothing_of_the_run_and_without_widths_there_are_none(tmp_path: Path) -> None:
    states = []
    for name, recipe in (("with", with_widths()), ("without", with_widths(average=Average()))):
        make_trainer(recipe, tmp_path / name).run()
        states.append(load_tree(sorted((tmp_path / name / "state").iterdir())[-1]))
    assert "averages" not in states[1]["observers"] and not (tmp_path / "without" / "averages").exists()
    for part in ("networks", "average"):
        for name, network in states[1][part].items():
            assert all(torch.equal(tensor, states[0][part][name][key]) for key, tensor in network.items())


def test_weights_gone_wrong_leave_no_snapshot(tmp_path: Path) -> None:
    trainer = make_trainer(with_widths(), tmp_path)
    trainer.checkpoint()
    while trainer.progress.images < 192:
        trainer.round()
        trainer._after_round()
    with torch.no_grad():
        next(iter(trainer.networks["generator"].parameters())).fill_(float("nan"))
    while trainer.progress.images > 128:  # It goes back to there once it looks, after the snapshot at 256.
        trainer.round()
        trainer._after_round()
    kept = [load_tree(path)["averages"] for _, path in snapshots(tmp_path / "averages")]
    assert len(kept) == 2
    finite = [tensor.isfinite().all() for one in kept for average in one.values() for tensor in average.values()]
    assert all(finite)
