"""The linear probe of discriminators: people are held out, and what is compared differs in what was learned alone."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from benchmark import benchmark
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import gannet
from gannet.recipe import dump_yaml
from gannet.task import find_task
from gannet.tasks import video_generation, video_prediction
from gannet.training.checkpoint import CheckpointFolder

PEOPLE, ACTIONS = 5, 4
WHO, TOLD = (one.ravel() for one in np.indices((PEOPLE, ACTIONS)))


@pytest.fixture(scope="module")
def probe() -> ModuleType:
    """The benchmark."""
    return benchmark("probe")


def test_what_tells_actions_of_all_people_alike_is_all_right(probe: ModuleType) -> None:
    seen = [np.tile(np.eye(ACTIONS)[action], (3, 1)) for action in TOLD]
    for parts in probe.PROTOCOLS.values():
        np.testing.assert_array_equal(probe.named_rightly(seen, TOLD, parts(WHO)), 1)


def test_what_tells_the_films_of_a_person_from_each_other_alone_is_worth_chance(probe: ModuleType) -> None:
    seen = [np.tile(one, (3, 1)) for one in np.eye(len(TOLD))]
    for parts in probe.PROTOCOLS.values():
        right = probe.named_rightly(seen, TOLD, parts(WHO))
        np.testing.assert_array_equal(probe.by_person(right[None], WHO), 100 / ACTIONS)


def test_who_is_learned_from_is_never_named_and_everybody_is(probe: ModuleType) -> None:
    for parts, learned_from in ((probe.all_but_one, PEOPLE - 1), (probe.one_alone, 1)):
        named: list[int] = []
        for learned, tested in parts(WHO):
            assert len(set(WHO[learned])) == learned_from and not set(WHO[learned]) & set(WHO[tested])
            named += tested.tolist()
        assert sorted(named) == sorted(list(range(len(TOLD))) * (PEOPLE - learned_from))


def test_people_who_are_held_out_are_named_and_nobody_else(probe: ModuleType) -> None:
    seen = [
        np.tile(np.eye(ACTIONS)[action if person != 4 else 0], (2, 1)) for person, action in zip(WHO, TOLD, strict=True)
    ]
    for parts, learned_from in zip(probe.without([2, 4]).values(), (3, 1), strict=True):
        right = probe.named_rightly(seen, TOLD, parts(WHO))
        assert set(WHO[~np.isnan(right)]) == {2, 4}
        assert all(len(set(WHO[learned])) == learned_from for learned, _ in parts(WHO))
        np.testing.assert_array_equal(probe.by_person(right[None], WHO), [100, 25])
    for strangers in probe.without([7]).values():
        with pytest.raises(ValueError, match="no person 7"):
            next(strangers(WHO))


def test_windows_of_a_film_answer_together(probe: ModuleType) -> None:
    seen = [np.tile(np.eye(ACTIONS)[action], (3, 1)) for action in TOLD]
    seen[0][0] = np.eye(ACTIONS)[1]
    assert probe.named_rightly(seen, TOLD, probe.all_but_one(WHO))[0]
    seen[0][1] = np.eye(ACTIONS)[1]
    right = probe.named_rightly(seen, TOLD, probe.all_but_one(WHO))
    assert not right[0] and right[ACTIONS:].all()


def test_components_lead_to_the_answers_of_the_features_themselves(probe: ModuleType) -> None:
    random = np.random.default_rng(0)
    seen = [random.normal(size=(2, 200)) + 0.3 * random.normal(size=200) + np.eye(200)[action] for action in TOLD]
    wanted = np.zeros(len(TOLD), np.bool_)
    for person in range(PEOPLE):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=probe.STRENGTH, max_iter=1_000))
        model.fit(
            np.concatenate([seen[one] for one in np.flatnonzero(person != WHO)]), np.repeat(TOLD[person != WHO], 2)
        )
        for one in np.flatnonzero(person == WHO):
            wanted[one] = model.classes_[model.predict_log_proba(seen[one]).sum(0).argmax()] == TOLD[one]
    assert 0 < wanted.sum() < len(wanted)
    np.testing.assert_array_equal(probe.named_rightly(seen, TOLD, probe.all_but_one(WHO)), wanted)


def test_each_person_counts_once(probe: ModuleType) -> None:
    right = np.array([[1.0, 1, 0, 0], [1, 0, 0, 0.5]])
    np.testing.assert_allclose(probe.by_person(right, np.array([0, 0, 0, 1])), [50, 25])


def test_an_interval_is_that_of_students_t() -> None:
    values = [3.0, 5.0, 4.0, 9.0, 1.0]
    wanted = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert benchmark("figures").interval(values) == pytest.approx((np.mean(values), wanted.low, wanted.high))


def test_windows_lie_within_the_film_and_are_those_of_the_seed(probe: ModuleType) -> None:
    film = np.broadcast_to(np.arange(12, dtype=np.uint8)[:, None, None, None], (12, 8, 8, 3))
    first, again = (probe.windows_of(film, 5, np.random.default_rng(1)) for _ in range(2))
    levels = ((first[:, 0, :, 0, 0] + 1) * 127.5).round()
    assert torch.equal(first, again) and first.shape == (probe.WINDOWS, 3, 5, 8, 8)
    assert (levels.diff(dim=1) == 1).all() and levels.min() >= 0 and levels.max() <= 11
    whole = probe.windows_of(film, 12, np.random.default_rng(1))
    assert whole.shape[2] == 12


@pytest.fixture(scope="module", params=[video_generation, video_prediction], ids=["generation", "prediction"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few rounds."""
    place = tmp_path_factory.mktemp("probed")
    recipe = place / "recipe.yaml"
    recipe.write_text(dump_yaml(request.param.example()), encoding="utf-8")
    gannet.train(str(recipe), out=place / "run", set={"images": 64})
    return place / "run"


def test_the_learned_one_is_the_checkpoints_and_the_random_one_its_seeds(probe: ModuleType, run: Path) -> None:
    probed, drawn = probe.Probed(run), torch.random.get_rng_state()
    checkpoint = CheckpointFolder(run / "state", 1).newest()
    assert checkpoint is not None
    learned, random = probed.trained().state_dict(), [probed.untrained(seed).state_dict() for seed in (0, 0, 1)]
    assert all(torch.equal(learned[name], value) for name, value in checkpoint["networks"]["clip"].items())
    assert all(torch.equal(value, random[1][name]) for name, value in random[0].items())
    weights = next(name for name in learned if name.endswith("weight"))
    assert not torch.equal(random[0][weights], random[2][weights])
    assert not torch.equal(random[0][weights], learned[weights])
    assert torch.equal(drawn, torch.random.get_rng_state()), "nothing else is drawn otherwise for it"
    length, *sides, channels = probed.field.given
    clips = [torch.zeros(3, channels, length, *sides), torch.zeros(2, channels, length, *sides)]
    assert [len(one) for one in probe.features_of(probed.trained().extract, clips)] == [3, 2]


def test_runs_of_something_else_or_without_a_checkpoint_are_refused(
    probe: ModuleType, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "recipe.yaml").write_bytes((run / "recipe.yaml").read_bytes())
    with pytest.raises(ValueError, match="has no checkpoint yet"):
        probe.Probed(tmp_path)
    (tmp_path / "recipe.yaml").write_text(dump_yaml(find_task("recognition").example()), encoding="utf-8")
    with pytest.raises(ValueError, match="is a run of recognition; give one of video-generation or video-prediction"):
        probe.Probed(tmp_path)
