"""What is far from what a model learned from is told, what is near is not, and the file that tells them stays whole."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import gannet
from gannet.commands.applied import Applied
from gannet.data.sources import open_source
from gannet.media import image
from gannet.media.photograph import Photograph
from gannet.media.pyramid import as_mask, hidden
from gannet.pipelines.hub import CONFIG, LEARNED_FROM, read_sealed, seal
from gannet.runtime.files import write_json
from gannet.task import find_task
from gannet.tasks._image_restoration import familiarity as familiarities
from gannet.tasks._image_restoration.familiarity import Familiarity, Kind, Normal, familiarity, read_familiarity
from gannet.tasks._image_restoration.statistics import COLOURS, SIDE, TONES, Floats, statistics

WORDS = {**TONES, **COLOURS}
MANY = 400
"""Photographs that are drawn to learn from, and as many to judge by."""


def drawn(seed: int, tone: float = 0.5, side: int = SIDE) -> Photograph:
    """A photograph of soft shapes in colour, around a tone between black and white."""
    random = np.random.default_rng(seed)
    coarse = (255 * (tone + 0.12 * random.normal(size=(8, 8, 3)))).clip(0, 255).astype(np.uint8)
    return Photograph(np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)))


def found(photograph: Photograph, lost: np.ndarray | None = None) -> Floats:
    given = statistics(photograph, hidden(photograph) if lost is None else lost)
    assert given is not None
    return given


@pytest.fixture(scope="module")
def known() -> Familiarity:
    """What is known of photographs of a middling tone."""
    kind = Kind.of(np.array([found(drawn(seed)) for seed in range(MANY)]))
    return Familiarity(data="shapes", kinds=(kind,))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As many of them as are needed, in files."""
    place = tmp_path_factory.mktemp("shapes")
    for seed in range(familiarities.FEWEST):
        drawn(seed).save(place / f"{seed}.png")
    return place


def test_photographs_like_those_that_were_learned_from_are_seldom_far(known: Familiarity) -> None:
    far = [known.is_far(found(drawn(seed))) for seed in range(MANY, 2 * MANY)]
    assert np.mean(far) <= 0.04, "about two of a hundred are allowed for"


@pytest.mark.parametrize(("tone", "words"), [(0.15, "darker"), (0.85, "lighter")])
def test_what_is_planted_is_far_and_is_named(known: Familiarity, tone: float, words: str) -> None:
    planted = [found(drawn(seed, tone)) for seed in range(20)]
    assert all(known.is_far(one) for one in planted)
    assert all(known.most_striking(one).startswith(words) for one in planted)


def test_a_statistic_of_its_own_is_named_as_it_is_off() -> None:
    normal = Normal.of(np.random.default_rng(0).normal(size=(MANY, len(WORDS))))
    known = Familiarity(data="", kinds=(Kind(distribution=normal, distance=0, ratio=0),))
    for place, (less, more) in enumerate(WORDS.values()):
        for sign, word in ((-4, less), (4, more)):
            one = np.zeros(len(WORDS))
            one[place] = sign
            assert known.most_striking(one) == word
    assert known.most_striking(np.ones(len(WORDS))) == "", "nothing of that is striking"


def test_distances_are_those_of_mahalanobis() -> None:
    covariance = np.diag(np.arange(1.0, len(TONES) + 1))
    normal = Normal(mean=(1.0,) * len(TONES), covariance=tuple(map(tuple, covariance)))
    np.testing.assert_allclose(normal.distances(np.zeros((1, len(TONES)))), (1 / np.arange(1, len(TONES) + 1)).sum())
    density = -2 * np.log(1 / np.sqrt(np.linalg.det(covariance)))
    np.testing.assert_allclose(normal.rarities(np.ones((1, len(TONES)))), density)


def test_what_varied_photographs_have_more_often_is_far(known: Familiarity) -> None:
    middle = np.array(familiarities.varied_photographs(len(WORDS)).mean)
    lax = known.kinds[0].model_copy(update={"distance": np.inf})
    assert lax.is_far(middle) and not lax.is_far(np.array(lax.distribution.mean))


def test_what_is_near_to_one_of_several_sources_is_not_far(known: Familiarity) -> None:
    dark = Kind.of(np.array([found(drawn(seed, 0.15)) for seed in range(MANY)]))
    both = Familiarity(data="shapes + dark", kinds=(*known.kinds, dark))
    for tone, far in ((0.5, 0.0), (0.15, 0.0), (0.85, 1.0)):
        share = np.mean([both.is_far(found(drawn(seed, tone))) for seed in range(MANY, MANY + 50)])
        assert abs(share - far) < 0.07
    assert both.most_striking(found(drawn(1, 0.02))).startswith("darker"), "than the dark ones, which are nearer"


@given(st.integers(2, 5))
def test_the_same_photograph_has_the_same_statistics_at_any_size(times: int) -> None:
    small = drawn(3)
    large = Photograph(small.values.repeat(times, 0).repeat(times, 1))
    np.testing.assert_allclose(found(large), found(small), atol=1e-9)
    deep = Photograph(small.values.astype(np.uint16) * 257)
    np.testing.assert_allclose(found(deep), found(small), atol=1e-9)


@given(
    st.integers(SIDE, 3 * SIDE), st.integers(SIDE, 3 * SIDE), st.sampled_from([1, 3]), st.sampled_from([0, 255, None])
)
def test_every_photograph_has_finite_statistics(height: int, width: int, channels: int, tone: int | None) -> None:
    random = np.random.default_rng(height + width)
    shape = (height, width, channels)
    values = random.integers(0, 256, shape, np.uint8) if tone is None else np.full(shape, tone, np.uint8)
    assert np.isfinite(found(Photograph(values))).all()
    assert np.isfinite(found(Photograph(values), random.random(shape[:2]) < 0.4)).all()


def test_what_is_lost_does_not_count() -> None:
    whole, lost = drawn(5, side=2 * SIDE), np.zeros((2 * SIDE, 2 * SIDE), bool)
    lost[20:60, 30:90] = True
    painted = [Photograph(np.where(lost[..., None], np.uint8(level), whole.values)) for level in (0, 255)]
    np.testing.assert_array_equal(*(found(one, lost) for one in painted))
    assert np.abs(found(painted[1], lost) - found(whole)).max() < np.abs(found(painted[1]) - found(whole)).max() / 3


def test_nothing_is_said_of_what_is_small_or_mostly_lost() -> None:
    assert statistics(drawn(0, side=SIDE - 1), np.zeros((SIDE - 1, SIDE - 1), bool)) is None
    assert statistics(drawn(0), np.ones((SIDE, SIDE), bool)) is None


def test_colours_count_where_they_are_asked_for(folder: Path, tmp_path: Path) -> None:
    source = open_source(str(folder), {"real": image.medium})
    known = [familiarity(source, "shapes", coloured) for coloured in (True, False)]
    blue = found(Photograph(np.array([40, 120, 255], np.uint8) * (drawn(7).values[..., :1] > 127)))
    assert [one and one.count for one in known] == [len(WORDS), len(TONES)]
    assert known[0] and known[0].is_far(blue)
    (tmp_path / "few").mkdir()
    for seed in range(5):
        drawn(seed).save(tmp_path / "few" / f"{seed}.png")
    assert familiarity(open_source(str(tmp_path / "few"), {"real": image.medium}), "few", True) is None


def test_broken_photographs_and_those_to_test_with_are_passed_over(folder: Path, tmp_path: Path) -> None:
    shown = tmp_path / "shapes"
    for side in ("train", "test"):
        (shown / side).mkdir(parents=True)
    for seed in range(familiarities.FEWEST):
        (shown / "train" / f"{seed}.png").write_bytes((folder / f"{seed}.png").read_bytes())
    (shown / "train" / "broken.png").write_bytes(b"no picture")
    drawn(0, 0.9).save(shown / "test" / "light.png")
    ways = (familiarity(open_source(str(place), {"real": image.medium}), "", True) for place in (folder, shown))
    first, second = (sorted(one.kinds[0].distribution.mean) for one in ways if one)
    np.testing.assert_allclose(first, second)


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that learned hardly anything of them."""
    smallest = {"network": {"name": "srresnet", "width": 8, "blocks": 1}, "data.size": SIDE, "task.patch": 32}
    short = {"task.scale": 2, "task.discriminator_width": 8, "images": 32, "batch": 16, "stages": [], "device": "cpu"}
    place = tmp_path_factory.mktemp("run") / "run"
    gannet.train("super-resolution", data=folder, out=place, set={**smallest, **short})
    return place


def test_a_run_keeps_what_it_learned_from_and_its_model_warns(run: Path, folder: Path) -> None:
    known = read_familiarity(run / "model")
    assert known == familiarity(open_source(str(folder), {"real": image.medium}), folder.name, True)
    model: Any = gannet.load(run)
    assert model(drawn(1)).warnings == ()
    (words,) = model(drawn(1, 0.1)).warnings
    assert words.startswith("far darker") and folder.name in words and "expect" in words and model.name in words
    assert model.variant({}).familiarity == known
    assert not gannet.load(run, "model").variant({}).warnings({"photograph": drawn(1)})


def test_what_a_run_keeps_is_noted_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (run / "model" / LEARNED_FROM).read_bytes()
    monkeypatch.setattr(familiarities, "statistics", lambda *_: pytest.fail("it was noted before"))
    gannet.train(resume=run, set={"images": 48})
    assert (run / "model" / LEARNED_FROM).read_bytes() == before


def test_the_command_line_says_so_in_a_sentence(run: Path, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    (tmp_path / "given").mkdir()
    for name, tone in (("a", 0.1), ("b", 0.5), ("c", 0.9)):
        drawn(1, tone).save(tmp_path / "given" / f"{name}.png")
    ended = gannet_command("apply", run, tmp_path / "given", "--out", tmp_path / "out")
    (line,) = (line for line in ended.out.splitlines() if "learned from" in line)
    assert line.startswith(f"{tmp_path / 'given' / 'a.png'}: far darker") and "is one more such warning" in line
    ended = gannet_command("apply", run, tmp_path / "given", "--out", tmp_path / "more", "--json")
    told = json.loads(ended.out)["result"]["warnings"]
    assert [Path(name).stem for name in told] == ["a", "c"]


def test_nothing_is_said_of_results_that_nothing_is_known_of() -> None:
    applied = Applied(Path("a.png"), {}, 1)
    assert "warnings" not in applied.to_json() and applied.lines() == ["Saved a.png."]


@pytest.mark.parametrize("breakage", ["cut", "changed", "other", "covariance"])
def test_a_damaged_file_is_one_sentence_and_nothing_is_written(
    run: Path, tmp_path: Path, gannet_command: Callable[..., Any], breakage: str
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    for file in (run / "model").iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    file = model / LEARNED_FROM
    if breakage == "cut":
        file.write_bytes(file.read_bytes()[:100])
    else:
        facts = read_sealed(file)
        kind = facts["kinds"][0]
    if breakage == "changed":
        file.write_text(file.read_text().replace('"ratio": ', '"ratio": 1'))
    elif breakage == "other":
        write_json(file, seal({**facts, "kinds": [{**kind, "distribution": {"mean": [0.0], "covariance": [[1.0]]}}]}))
    elif breakage == "covariance":
        none = [[0.0] * len(WORDS)] * len(WORDS)
        write_json(
            file, seal({**facts, "kinds": [{**kind, "distribution": {**kind["distribution"], "covariance": none}}]})
        )
    drawn(1).save(tmp_path / "a.png")
    ended = gannet_command("apply", model, tmp_path / "a.png", "--out", tmp_path / "out.png")
    assert ended.code == 2 and str(file) in ended.err and len(ended.err.strip().splitlines()) == 1
    assert not (tmp_path / "out.png").exists()
    file.unlink()
    assert not gannet_command("apply", model, tmp_path / "a.png", "--out", tmp_path / "out.png").code


def test_a_hole_of_inpainting_counts_for_nothing() -> None:
    model: Any = gannet.load("inpainting")
    values = np.random.default_rng(0)
    photograph, lost = drawn(1, side=2 * SIDE), np.zeros((2 * SIDE, 2 * SIDE), bool)
    lost[:, :SIDE] = values.random((2 * SIDE, SIDE)) < 0.9
    painted = Photograph(np.where(lost[..., None], np.uint8(255), photograph.values))
    given = {"photograph": painted, "mask": Photograph(as_mask(lost))}
    same = {**given, "photograph": Photograph(np.where(lost[..., None], np.uint8(0), photograph.values))}
    assert model.warnings(given) == model.warnings(same)


@pytest.mark.parametrize("name", ["colorization", "inpainting", "restoration", "super-resolution"])
def test_shipped_models_know_what_they_learned_from(name: str) -> None:
    model: Any = gannet.load(name)
    assert model.familiarity and model.familiarity.data in model.config.description.name
    assert model.familiarity.count == len(WORDS if model.coloured else TONES)
    assert not any(model.familiarity.is_far(np.array(kind.distribution.mean)) for kind in model.familiarity.kinds)
    assert find_task(model.task).pipeline_class is type(model) and (model.file.parent / CONFIG).is_file()
