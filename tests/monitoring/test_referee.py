"""The referee: shares over a window, the rule and the diagnosis kept apart, audits on time, and words for all of it."""

import json
from itertools import product
from string import Formatter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import energy_distance
from torch import Tensor

from gannet.adversarial.game import Seen
from gannet.adversarial.losses import LOSSES
from gannet.monitoring.diagnosis import BAD_INPUT, CAUSES, ENOUGH_LOOKS, SYMPTOMS, Case, diagnose
from gannet.monitoring.energy import energy_figures
from gannet.monitoring.referee import Referee, Rule, apply_rule
from gannet.monitoring.updates import Updates
from gannet.monitoring.words import catalogues

HEALTHY = {
    "diversity": 0.9,
    "accuracy_train": 0.6,
    "accuracy_held_out": 0.55,
    "energy_distance": 0.02,
    "separation": 0.8,
}
STATES = ("too-early", "undecided", "on-track", "converged")
DIAGNOSES = ("too-early", "healthy", *BAD_INPUT, *CAUSES, *SYMPTOMS)
CATALOGUE = catalogues()


class Auditor:
    """Returns the same figures at every call and counts the calls."""

    def __init__(self, **changes: float | str) -> None:
        self.calls, self.figures = 0, HEALTHY | changes

    def __call__(self) -> dict[str, float | str]:
        self.calls += 1
        return dict(self.figures)


def make(window: int = 4, share: float = 0.9, every: int = 4, audit: Auditor | None = None, loss: str = "hinge"):
    return Referee(Rule(window, share, every), LOSSES[loss], audit or Auditor(), {"samples": 1_000, "batch": 32})


def show(judge: Referee, real: list[float], fake: list[float]) -> None:
    """Show one round more of as many images as there are scores."""
    watched = {"discriminator/real": torch.tensor(real), "discriminator/fake": torch.tensor(fake)}
    judge.observe(Seen(judge.images + len(real), len(real), {}, watched))


def show_passing(judge: Referee, passing: int, count: int = 10) -> None:
    """Show a round in which the reals pass and so many of the fakes."""
    show(judge, [1.0] * count, [1.0] * passing + [-1.0] * (count - passing))


def test_the_shares_over_a_window_are_those_of_hand_made_scores() -> None:
    judge = make(window=8)
    show(judge, [2.0, 1.0, -1.0, 0.5], [1.0, -1.0, -2.0, -3.0])
    show(judge, [1.0, 1.0, -1.0, -2.0], [3.0, 1.0, -2.0, 0.1])
    figures = judge.measures()
    # 4 of 8 fakes and 5 of 8 reals score above zero; the signs of the reals are five +1 and three -1.
    assert [figures[name] for name in ("fool_rate", "accuracy_real", "r_t")] == pytest.approx([0.5, 0.625, 0.25])


def test_rounds_count_by_their_images() -> None:
    judge = make(window=8)
    show_passing(judge, passing=2, count=2)
    show_passing(judge, passing=0, count=6)
    assert judge.measures()["fool_rate"] == pytest.approx(2 / 8)


def test_rounds_that_the_window_no_longer_needs_are_forgotten() -> None:
    judge = make(window=4)
    for passing in (2, 0, 1):
        show_passing(judge, passing, count=2)
    assert judge.measures()["fool_rate"] == pytest.approx(1 / 4)


@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=12), window=st.integers(1, 20))
@settings(max_examples=40, deadline=None)
def test_the_window_is_the_fewest_newest_rounds_that_fill_it(counts: list[int], window: int) -> None:
    judge = make(window=window, every=1000)
    for number, count in enumerate(counts):
        show_passing(judge, passing=min(number, count), count=count)
    kept = next((size for size in range(1, len(counts) + 1) if sum(counts[-size:]) >= window), len(counts))
    passing = sum(min(number, count) for number, count in list(enumerate(counts))[-kept:])
    assert judge.measures()["fool_rate"] == pytest.approx(passing / sum(counts[-kept:]), abs=1e-6)
    assert judge.full == (sum(counts) >= window)


@pytest.mark.parametrize(
    ("fool_rate", "state"),
    [
        (0.0, "undecided"),
        (0.49, "undecided"),
        (0.5, "on-track"),
        (0.89, "on-track"),
        (0.9, "converged"),
        (1.0, "converged"),
    ],
)
def test_the_rule_turns_at_one_half_and_at_the_share_set(fool_rate: float, state: str) -> None:
    assert apply_rule(fool_rate, 0.9) == state


def test_the_rules_share_is_the_users() -> None:
    assert (apply_rule(0.7, 0.6), apply_rule(0.7, 0.8)) == ("converged", "on-track")


def test_the_rule_goes_through_its_states_and_remembers_since_when() -> None:
    judge = make(window=10, share=0.8)
    states = []
    for passing in (3, 5, 8, 9, 2):
        show_passing(judge, passing)
        judge.measures()
        states.append((judge.state, judge.state_since, judge.converged))
    assert states == [
        ("undecided", 10, False),
        ("on-track", 20, False),
        ("converged", 30, True),
        ("converged", 30, True),
        ("undecided", 50, False),
    ]


def test_nothing_is_decided_before_a_whole_window_was_seen() -> None:
    judge = make(window=20, every=1)
    show_passing(judge, 10)
    judge.measures()
    assert (judge.full, judge.state) == (False, "too-early")
    show_passing(judge, 10)
    judge.measures()
    assert (judge.full, judge.state) == (True, "converged")


def test_nothing_is_diagnosed_before_enough_audits_and_then_it_is_said_since_when() -> None:
    judge = make(window=10, every=10)
    for _ in range(ENOUGH_LOOKS):
        assert judge.diagnosed == "too-early"
        show_passing(judge, 9)
    assert (judge.diagnosed, judge.diagnosed_at) == ("discriminator-too-weak", 10 * ENOUGH_LOOKS)
    show_passing(judge, 9)
    assert judge.diagnosed_at == 10 * ENOUGH_LOOKS


@given(count=st.integers(1, 30), every=st.integers(1, 30), rounds=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_the_audit_is_made_once_in_every_round_that_reaches_or_crosses_its_time(
    count: int, every: int, rounds: int
) -> None:
    auditor = Auditor()
    judge = make(every=every, audit=auditor)
    due = 0
    for number in range(1, rounds + 1):
        show_passing(judge, 0, count)
        times = range((number - 1) * count + 1, number * count + 1)
        due += any(image % every == 0 for image in times)
        assert auditor.calls == due


def test_a_referee_that_is_restored_has_the_same_future() -> None:
    """Rule, window, audits and their dates: played on after a checkpoint as if nothing had happened."""
    random = np.random.default_rng(0)
    scores = random.standard_normal((12, 2, 6)).astype(np.float32)
    scores[:, 1] += np.linspace(-1, 2, 12, dtype=np.float32)[:, None]
    straight, first = make(window=15, share=0.8, every=20), make(window=15, share=0.8, every=20)
    futures: list[list] = [[], []]
    for judge in (straight, first):
        for real, fake in scores[:5].tolist():
            show(judge, real, fake)
            judge.measures()
    restored = make(window=15, share=0.8, every=20, audit=(auditor := Auditor()))
    restored.load_state_dict(first.state_dict())
    show_passing(first, 6, 6)  # What is restored is a copy, not a view of what goes on.
    for judge, future in zip((straight, restored), futures, strict=True):
        for real, fake in scores[5:].tolist():
            show(judge, real, fake)
            future.append((judge.measures(), judge.verdict()))
    assert futures[0] == futures[1]
    assert auditor.calls == 72 // 20 - 30 // 20
    assert len({future[1]["rule"]["state"] for future in futures[0]}) > 1, "the future must hold a change to compare"


def test_the_state_survives_a_safe_load(tmp_path) -> None:
    judge = make()
    show_passing(judge, 7)
    judge.measures()
    torch.save(judge.state_dict(), tmp_path / "state.pt")
    restored = make()
    restored.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert restored.verdict() == judge.verdict()


def test_a_frozen_discriminator_that_passes_everything_meets_the_rule_and_is_not_healthy() -> None:
    judge = make(window=10, every=10)
    for _ in range(ENOUGH_LOOKS):
        show(judge, [0.7] * 10, [0.7] * 10)
    judge.measures()
    verdict = json.loads(json.dumps(judge.verdict()))
    assert verdict["rule"]["state"] == "converged"
    assert verdict["diagnosis"]["state"] == "discriminator-too-weak"
    assert verdict["evidence"]["fool_rate"] == 1.0
    assert verdict["advice"] == CATALOGUE["en"]["advice"]["discriminator-too-weak"]
    assert set(verdict) == {"rule", "diagnosis", "also", "evidence", "advice"}


def test_the_verdicts_words_hold_its_figures_and_name_what_else_was_found() -> None:
    judge = make(window=10, every=10, audit=Auditor(diversity=0.25, energy_distance=0.4))
    for _ in range(ENOUGH_LOOKS):
        show_passing(judge, 6)
    judge.measures()
    verdict = judge.verdict()
    assert "60%" in verdict["rule"]["words"] and "0.25" in verdict["diagnosis"]["words"]
    assert [found["state"] for found in verdict["also"]] == ["divergence"]
    assert "0.40" in verdict["also"][0]["words"]


def test_a_player_out_of_step_is_named_before_what_it_brought_about() -> None:
    updates = Updates({"generator": 2e-6, "discriminator": 2e-4})
    steps = {"generator": torch.tensor(1e-4), "discriminator": torch.tensor(0.01)}
    updates.observe(Seen(10, 10, {}, {}, steps))
    facts = {"samples": 1_000, "batch": 32}
    judge = Referee(Rule(10, 0.9, 10), LOSSES["hinge"], Auditor(diversity=0.1), facts, updates=updates)
    for _ in range(ENOUGH_LOOKS):
        show_passing(judge, 3)
    verdict = json.loads(json.dumps(judge.verdict()))
    assert (verdict["diagnosis"]["state"], verdict["evidence"]["player"]) == ("hardly-moves", "generator")
    assert "optimizer.generator.learning_rate=2e-06; about 0.0002 " in verdict["diagnosis"]["words"]
    assert [found["state"] for found in verdict["also"]] == ["mode-collapse"]
    assert not any("generator" in name for name in judge.measures()), "the observer of updates logs them"


def test_a_verdict_can_be_given_before_the_first_round() -> None:
    verdict = json.loads(json.dumps(make().verdict()))
    assert (verdict["rule"]["state"], verdict["diagnosis"]["state"]) == ("too-early", "too-early")


@pytest.mark.parametrize("language", sorted(CATALOGUE))
def test_every_state_has_words_and_every_diagnosis_advice_in_every_language(language: str) -> None:
    words = CATALOGUE[language]
    assert set(words["rule"]) == set(STATES)
    assert set(words["diagnosis"]) == set(words["advice"]) == set(DIAGNOSES)
    facts = {"samples": 50, "batch": 2, "highest": 255.0, "label_accuracy": 0.1, "label_chance": 0.1}
    found = {"near_copies": 0.5, "closer": 0.95, "leak": 0.7, "augmentation": "negatives", "augmented": 0.8}
    judge = Referee(Rule(10, 0.9, 10), LOSSES["hinge"], Auditor(**found), facts)
    show_passing(judge, 10)
    for judge.state, judge.diagnosed in product(STATES, DIAGNOSES):
        verdict = judge.verdict(language)
        for text in (verdict["rule"]["words"], verdict["diagnosis"]["words"], verdict["advice"]):
            assert len(text) > 10 and "{" not in text
    assert not any(field for text in words["advice"].values() for _, field, _, _ in Formatter().parse(text))


def test_every_language_fills_in_the_same_figures() -> None:
    def fields(words: dict) -> dict:
        return {
            (section, code): {field for _, field, _, _ in Formatter().parse(text) if field}
            for section in ("rule", "diagnosis")
            for code, text in words[section].items()
        }

    assert all(fields(words) == fields(CATALOGUE["en"]) for words in CATALOGUE.values())


def mean_distance(left: np.ndarray, right: np.ndarray, pairs: int) -> float:
    return sum(float(np.sqrt(((one - other) ** 2).sum())) for one in left for other in right) / pairs


@pytest.mark.parametrize("shape", [(1,), (2,), (1, 3, 4)])
@pytest.mark.parametrize(("many", "few"), [(7, 5), (40, 30)])
def test_energy_figures_equal_a_double_loop(shape: tuple[int, ...], many: int, few: int) -> None:
    random = np.random.default_rng(0)
    real, fake = random.standard_normal((many, *shape)), 1.5 * random.standard_normal((few, *shape)) + 0.5
    among_real = mean_distance(real, real, many * (many - 1))
    among_fake = mean_distance(fake, fake, few * (few - 1))
    across = mean_distance(real, fake, many * few)
    found = energy_figures(torch.from_numpy(real), torch.from_numpy(fake))
    assert found["energy_distance"] == pytest.approx((2 * across - among_real - among_fake) / among_real, abs=1e-4)
    assert found["diversity"] == pytest.approx(among_fake / among_real, abs=1e-4)


def test_energy_distance_on_a_line_agrees_with_scipy() -> None:
    """SciPy gives the root, and its means hold each sample's zero distance to itself, which ours leave out."""
    random = np.random.default_rng(1)
    real, fake = random.standard_normal(20), random.standard_normal(15) + 1
    found = energy_figures(torch.from_numpy(real)[:, None], torch.from_numpy(fake)[:, None])
    scale = mean_distance(real[:, None], real[:, None], 20 * 19)
    with_self = found["energy_distance"] * scale + scale / 20 + found["diversity"] * scale / 15
    assert with_self == pytest.approx(energy_distance(real, fake) ** 2, abs=1e-5)


def gaussian(count: int, seed: int) -> Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) / 4


def test_fakes_of_the_same_distribution_are_near_and_as_diverse_and_others_are_not() -> None:
    same, shifted = (
        energy_figures(gaussian(256, 0), gaussian(256, 1)),
        energy_figures(gaussian(256, 0), gaussian(256, 1) + 1),
    )
    assert same["energy_distance"] == pytest.approx(0, abs=0.01) and same["diversity"] == pytest.approx(1, abs=0.02)
    assert shifted["energy_distance"] > 0.5 and shifted["diversity"] == pytest.approx(1, abs=0.02)


def test_identical_fakes_have_no_diversity() -> None:
    found = energy_figures(gaussian(64, 0), gaussian(1, 1).expand(64, -1, -1, -1))
    assert found["diversity"] == pytest.approx(0, abs=0.01)
    assert found["energy_distance"] > 0.2


def test_one_picture_for_each_class_is_no_diversity_however_unlike_the_classes_are() -> None:
    label = torch.arange(4).repeat(16)
    centres = 5 * gaussian(4, 2)[label]
    real, collapsed = centres + gaussian(64, 0), centres + gaussian(4, 1)[label]
    assert energy_figures(real, collapsed)["diversity"] > 0.8
    assert energy_figures(real, collapsed, label)["diversity"] == pytest.approx(0, abs=1e-6)
    varied = energy_figures(real, centres + gaussian(64, 3), label)
    assert varied["diversity"] == pytest.approx(1, abs=0.05)


def test_where_no_class_has_two_samples_diversity_is_over_all() -> None:
    real, fake = gaussian(8, 0), 2 * gaussian(8, 1)
    assert energy_figures(real, fake, torch.arange(8)) == energy_figures(real, fake)


@given(factor=st.floats(0.1, 10))
@settings(max_examples=15, deadline=None)
def test_energy_figures_do_not_depend_on_the_unit(factor: float) -> None:
    real, fake = gaussian(8, 0), 2 * gaussian(6, 1)
    assert energy_figures(factor * real, factor * fake) == pytest.approx(energy_figures(real, fake), rel=1e-4)


@pytest.mark.parametrize("score", [0.0, -0.01])
def test_a_discriminator_that_scores_everything_alike_is_not_winning(score: float) -> None:
    judge = make(window=10, every=10)
    for _ in range(ENOUGH_LOOKS):
        show(judge, [score] * 10, [score] * 10)
    assert judge.diagnosed not in {"too-early", "discriminator-winning"}


def test_the_words_before_a_whole_window_do_not_contradict_their_figure() -> None:
    judge = make(window=100)
    show_passing(judge, 10)
    judge.measures()
    words = judge.verdict()["rule"]["words"]
    assert not ("Fewer than half" in words and "100%" in words)


def test_the_evidence_holds_only_what_was_measured() -> None:
    judge = make(window=10, every=1000)
    show_passing(judge, 5)
    judge.measures()
    assert "diversity" not in judge.verdict()["evidence"]


def test_fakes_that_are_nowhere_near_the_reals_are_not_healthy() -> None:
    """Measured on the ring with an R1 of weight 1000: as varied as the reals, and nowhere near them."""
    figures = HEALTHY | {"fool_rate": 0.56, "accuracy_real": 0.82, "energy_distance": 2.19, "diversity": 0.97}
    assert diagnose(Case([figures] * ENOUGH_LOOKS, {})) == ["divergence"]


def test_a_checkpoint_that_kept_only_the_newest_audit_is_gone_on_from() -> None:
    judge = make()
    show_passing(judge, 7)
    state = judge.state_dict()
    old = {name: state[name] for name in ("images", "rounds", "batches", "state")}
    restored = make()
    restored.load_state_dict(old | {"audited": HEALTHY, "diagnosed": ["far-off", 5]})
    assert restored.images == judge.images and restored.verdict()["diagnosis"]["state"] == "too-early"
