"""The discriminator's view: augmented alike for both, steered as the paper says, and never beyond the cap."""

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gannet.adversarial.adaptive import INTERVAL, Adaptive
from gannet.adversarial.discriminator_augment import AUGMENTS, Ada, DiffAugment, Fixed
from gannet.adversarial.game import Seen
from gannet.adversarial.losses import LOSSES
from gannet.adversarial.two_player import DISCRIMINATOR, Discriminator, Penalties, Scores, TwoPlayer, of_the_pass
from gannet.augmentation.draws import Drawn
from gannet.schema import check

LOSS = LOSSES["non-saturating"]


def seen(real: float, batch: int = 10) -> Seen:
    """A round in which the reals are all scored so."""
    return Seen(
        0,
        batch,
        {},
        {"discriminator/real": torch.full((batch,), real), "discriminator/fake": torch.full((batch,), -1.0)},
    )


@given(scores=st.lists(st.integers(-3, 3), min_size=1, max_size=60), cap=st.sampled_from([0.3, 0.8]))
@settings(deadline=None)
def test_the_share_goes_where_the_paper_says_and_stays_within_the_cap(scores: list[int], cap: float) -> None:
    """Karras et al., 2020, section 3.2: every four rounds up or down by so many images' worth."""
    steered = Adaptive(LOSS, target=0.6, cap=cap, images=200)
    share = 0.0
    for start in range(0, len(scores), INTERVAL):
        some = scores[start : start + INTERVAL]
        for score in some:
            steered.observe(seen(score))
        if len(some) == INTERVAL:
            sign = sum((score > 0) - (score < 0) for score in some) / INTERVAL
            share = min(cap, max(0.0, share + (0.2 if sign > 0.6 else -0.2)))
        assert steered.share == pytest.approx(share) and 0 <= steered.share <= cap


def test_a_steered_share_goes_on_as_if_it_had_not_been_stopped() -> None:
    whole, before = (Adaptive(LOSS, 0.6, 0.8, 500) for _ in range(2))
    rounds = [seen(score) for score in torch.randn(23, generator=torch.Generator().manual_seed(0)).add(1).tolist()]
    for one in rounds:
        whole.observe(one)
    for one in rounds[:10]:
        before.observe(one)
    after = Adaptive(LOSS, 0.6, 0.8, 500)
    after.load_state_dict(before.state_dict())
    for one in rounds[10:]:
        after.observe(one)
    assert after.measures() == whole.measures() and after.state_dict()["share"] == whole.share


def test_reals_and_fakes_are_seen_through_the_same_eyes_by_both_players() -> None:
    looked: list[str] = []

    def see(sample: Tensor, _: object) -> Tensor:
        looked.append("real" if float(sample.detach().mean()) > 0 else "fake")
        return sample * 10

    scored: list[float] = []

    def score(sample: Tensor, _: object) -> Scores:
        scored.append(float(sample.detach().abs().mean()))
        return Scores(sample.flatten(1).sum(1))

    strength = SimpleNamespace(weight=1.0, every=1)
    weight = torch.ones(1, requires_grad=True)
    game = TwoPlayer(
        LOSS,
        [Discriminator(DISCRIMINATOR, score, see)],
        prepare=of_the_pass,
        real=lambda _: torch.ones(2, 1, 2, 2),
        generate=lambda _: -torch.ones(2, 1, 2, 2) * weight,
    )
    for turn in game.turns(Penalties(strength, strength, strength)):
        turn.play(SimpleNamespace(uniform=lambda: torch.zeros(2)))  # type: ignore[arg-type]
    assert looked.count("real") == 3 and looked.count("fake") == 4
    assert set(scored) == {10.0}, "a score was given to a sample as it is"


def test_open_eyes_change_nothing() -> None:
    view, picture = AUGMENTS["none"]().resolve(3, 100).view(LOSS), torch.rand(2, 3, 8, 8)
    assert view(picture, None) is picture and view.observers == {}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["fixed", "diffaugment", "ada"])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_resolved_is_plain_data_that_resolves_to_itself(name: str, channels: int) -> None:
    resolved = AUGMENTS[name]().resolve(channels, 100_000)
    assert "auto" not in vars(resolved).values()
    assert check(AUGMENTS[name], vars(resolved), "augment") == resolved == resolved.resolve(channels, 5)
    assert ("hue" in resolved.kinds or "saturation" in resolved.kinds) == (channels == 3)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pictures", "name"), [(1, "diffaugment"), (999, "diffaugment"), (1_000, "ada"), (4_999, "ada"), (5_000, "none")]
)
def test_the_fewer_pictures_the_more_is_augmented(pictures: int, name: str) -> None:
    resolved = AUGMENTS["auto"]().resolve(3, 1_000, pictures)
    assert resolved == AUGMENTS[name]().resolve(3, 1_000) and resolved.name == name


def test_adaptive_eyes_see_what_their_share_says() -> None:
    view = Ada(kinds={"brightness": 0.5}).resolve(1, 1000).view(LOSS)
    picture = torch.zeros(400, 1, 8, 8)
    draws = Drawn(400, torch.Generator().manual_seed(0))
    assert view(picture, draws) is picture  # type: ignore[arg-type]
    assert view.observer
    view.observer.share = 0.5
    hit = (view(picture, draws) != 0).flatten(1).any(1).float().mean()  # type: ignore[arg-type]
    assert 0.4 < float(hit) < 0.6


def test_a_run_climbs_in_a_quarter_of_it_and_in_half_a_million_images_at_most() -> None:
    assert Ada().resolve(3, 100_000).climb == 25_000 and Ada().resolve(3, 10**8).climb == 500_000
    assert Ada(climb=7).resolve(3, 10**8).climb == Fixed(climb=7).resolve(3, 10**8).climb == 7
    assert Fixed().resolve(3, 100_000).climb == 25_000


@pytest.mark.parametrize("score", [-3.0, 0.0, 3.0])
def test_a_fixed_share_is_climbed_to_whatever_the_scores_and_stays(score: float) -> None:
    view = Fixed(share=0.6, climb=200, kinds=["flip"]).resolve(1, 1000).view(LOSS)
    assert view.observer and view.share() == 0
    for expected in (0.2, 0.4, 0.6, 0.6, 0.6):
        for _ in range(INTERVAL):
            view.observer.observe(seen(score))
        assert view.share() == pytest.approx(expected)


@pytest.mark.parametrize("options", [Fixed, DiffAugment, Ada])
def test_what_no_generator_can_learn_through_is_refused(options: type) -> None:
    with pytest.raises(ValueError, match="cannot learn through jpeg"):
        options(kinds=["jpeg"]).resolve(3, 100)
    with pytest.raises(ValueError, match="did you mean 'rotation'"):
        options(kinds={"rotatio": 5}).resolve(3, 100)


def test_a_contest_without_eyes_sees_samples_as_they_are() -> None:
    game = TwoPlayer(
        LOSS,
        [Discriminator(DISCRIMINATOR, lambda sample, _: Scores(sample[:, 0]))],
        prepare=of_the_pass,
        real=lambda _: torch.ones(2, 1),
        generate=lambda _: torch.zeros(2, 1),
    )
    turn, *_ = game.turns(Penalties())
    assert torch.equal(turn.play(SimpleNamespace()).watched["discriminator/real"], torch.ones(2))  # type: ignore[arg-type]
    assert turn.players == (DISCRIMINATOR,)


@pytest.mark.parametrize("options", [Fixed, Ada])
def test_eyes_are_steered_by_the_discriminator_that_is_named(options: type) -> None:
    view = options(climb=1).resolve(3, 100).view(LOSS, "frame")
    scores = {f"frame/{side}": torch.full((10,), value) for side, value in (("real", 5.0), ("fake", -1.0))}
    for _ in range(4):
        view.observers["augmentation"].observe(Seen(0, 10, {}, scores))
    assert view.share() > 0
