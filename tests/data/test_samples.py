"""From a recipe's data to samples: several sources by weight, limits and splits of each, and missing labels."""

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts import check_resumes
from PIL import Image

import gannet
from gannet.commands.train import prepare, split_of
from gannet.data.loader import Loader, Mixture
from gannet.data.samples import class_numbers
from gannet.data.sources import open_source
from gannet.recipe import Data, Recipe, dump_yaml, load_recipe
from gannet.recipe.sections import Weighted
from gannet.schema import Choice
from gannet.tasks import colorization, generation, recognition
from gannet.training.callbacks import Status

Folders = Callable[..., Path]


def picture(seed: int, level: int) -> Image.Image:
    """Noise about a level, no two alike."""
    noise = np.random.default_rng(seed).integers(-20, 21, (8, 8))
    return Image.fromarray((level + noise).clip(0, 255).astype(np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Folders:
    """Write a folder of so many pictures in each of its sub-folders, of a level that tells whose they are."""

    def write(name: str, level: int, **counts: int) -> Path:
        for sub, count in counts.items():
            for number in range(count):
                place = tmp_path / name / ("" if sub == "loose" else sub)
                place.mkdir(parents=True, exist_ok=True)
                picture(hash_of(name, sub, number), level).save(place / f"{sub}{number}.png")
        return tmp_path / name

    return write


def hash_of(*words: object) -> int:
    return int.from_bytes("/".join(map(str, words)).encode()[-12:], "little")


def recipe_of(task: Any = generation, conditional: bool = True, **data: Any) -> Recipe:
    recipe = task.example()
    options = {"conditional": conditional} if task is generation else {}
    changes = {"data": Data(size=8, channels=1, **data), "task": Choice(name=recipe.task.name, **options)}
    return recipe.model_copy(update=changes)


def weighted(*given: tuple[Path, float]) -> tuple[dict[str, Any], ...]:
    return tuple({"source": str(path), "weight": weight} for path, weight in given)


def check_sources(*paths: Path) -> tuple[Weighted, ...]:
    return tuple(Weighted(source=str(path)) for path in paths)


def is_bright(pictures: torch.Tensor) -> torch.Tensor:
    return pictures.mean((1, 2, 3)) > 0


def test_several_sources_are_drawn_from_by_weight(folder: Folders) -> None:
    dark, bright = folder("dark", 40, a=20, b=20), folder("bright", 210, a=8, b=8)
    split = split_of(prepare(recipe_of(sources=weighted((dark, 3), (bright, 1)))))
    assert isinstance(split.training, Mixture) and isinstance(split.held_out, Mixture)
    batch = split.training.gather(0, 1000)
    assert int(is_bright(batch["real"]).sum()) == 250
    assert set(batch["label"].tolist()) == {0, 1}


def test_each_source_has_its_own_split(folder: Folders) -> None:
    dark, bright = folder("dark", 40, a=30, b=30), folder("bright", 210, a=15, b=15)
    split = split_of(prepare(recipe_of(sources=weighted((dark, 1), (bright, 1)))))
    alone = [split_of(prepare(recipe_of(source=str(path)))) for path in (dark, bright)]
    for side in ("training", "held_out"):
        together, apart = getattr(split, side), [getattr(one, side) for one in alone]
        assert len(together) == sum(map(len, apart))
        every = together.numbered(np.arange(len(together)))
        expected = [one.numbered(np.arange(len(one))) for one in apart]
        for name, values in every.items():
            assert torch.equal(values, torch.cat([one[name] for one in expected])), name
    assert all(len(one.held_out) for one in alone)


def test_a_limit_is_of_each_source_and_leaves_what_is_held_out(folder: Folders) -> None:
    dark, bright = folder("dark", 40, a=30, b=30), folder("bright", 210, a=15, b=15)
    sources = weighted((dark, 1), (bright, 1))
    limited, whole = (split_of(prepare(recipe_of(sources=sources, **more))) for more in ({"limit": 5}, {}))
    every = limited.training.numbered(np.arange(len(limited.training)))["real"]
    assert Counter(is_bright(every).tolist()) == {False: 5, True: 5}
    assert len(limited.held_out) == len(whole.held_out)
    again = split_of(prepare(recipe_of(sources=sources, limit=5))).training
    assert torch.equal(again.numbered(np.arange(10))["real"], every)


def test_one_source_in_a_list_is_that_source(folder: Folders) -> None:
    dark = folder("dark", 40, a=10, b=10)
    listed, plain = (
        split_of(prepare(recipe_of(**one))) for one in ({"sources": weighted((dark, 5))}, {"source": str(dark)})
    )
    assert isinstance(listed.training, Loader)
    assert torch.equal(listed.training.gather(0, 30)["real"], plain.training.gather(0, 30)["real"])


def test_sources_of_other_classes_are_refused_in_one_sentence(folder: Folders) -> None:
    one, other = folder("one", 40, a=5, b=5), folder("other", 200, a=5, c=5)
    with pytest.raises(ValueError, match=r"^The classes of other \(a, c\) are not those of one \(a, b\)[^.]*\.$"):
        prepare(recipe_of(sources=weighted((one, 1), (other, 1))))


def test_a_source_with_classes_does_not_go_with_one_without(folder: Folders) -> None:
    one, other = folder("one", 40, a=5, b=5), folder("other", 200, loose=5)
    with pytest.raises(ValueError, match=r"The classes of other \(none\) are not those of one"):
        prepare(recipe_of(conditional=False, sources=weighted((one, 1), (other, 1))))


def test_where_classes_are_unused_sources_may_differ_in_them(folder: Folders) -> None:
    one, other = folder("one", 40, a=5, b=5), folder("other", 200, loose=5)
    recipe = colorization.task.example()
    data = recipe.data.model_copy(update={"source": "", "sources": check_sources(one, other)})
    prepared = prepare(recipe.model_copy(update={"data": data.with_options(stack=1)}))
    assert prepared.description.classes == ()
    reals = split_of(prepared).training.gather(0, 1000)["real"]
    assert int(is_bright(reals).sum()) == 500


def test_a_source_and_sources_together_are_refused(folder: Folders) -> None:
    one = str(folder("one", 40, a=5, b=5))
    with pytest.raises(ValueError, match="either source or sources, not both"):
        load_recipe("images", {"data.source": one, "data.sources": [{"source": one}]})


@pytest.mark.parametrize("weight", [0, -1, float("inf"), float("nan"), "much"])
def test_a_weight_that_is_no_positive_number_is_refused(folder: Folders, weight: object) -> None:
    with pytest.raises(ValueError, match="weight"):
        load_recipe("images", {"data.sources": [{"source": str(folder("one", 40, a=2)), "weight": weight}]})


def test_a_source_that_is_not_there_is_named(folder: Folders) -> None:
    one = folder("one", 40, a=5, b=5)
    with pytest.raises(ValueError, match="no data called .*nowhere"):
        prepare(recipe_of(sources=weighted((one, 1), (one.parent / "nowhere", 1))))


def test_fingerprints_follow_sources_and_weights(folder: Folders) -> None:
    one, other = folder("one", 40, a=5, b=5), folder("other", 200, a=5, b=5)
    mixes = [weighted((one, 1), (other, 1)), weighted((one, 1), (other, 2)), weighted((other, 1), (one, 1))]
    prints = [prepare(recipe_of(sources=mix)).source.fingerprint() for mix in (*mixes, mixes[0])]
    assert len(set(prints)) == 3 and prints[0] == prints[3]
    picture(99, 7).save(other / "a" / "new.png")
    assert prepare(recipe_of(sources=mixes[0])).source.fingerprint() != prints[0]


def test_size_and_channels_are_chosen_by_all_sources(folder: Folders) -> None:
    grey, colour = folder("grey", 40, a=5, b=5), folder("colour", 200, a=5, b=5)
    for file in colour.rglob("*.png"):
        Image.open(file).convert("RGB").point(lambda level: level).save(file)
    for file in (colour / "a").iterdir():
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)).save(file)
    recipe = recipe_of(sources=weighted((grey, 1), (colour, 1)))
    recipe = recipe.model_copy(update={"data": Data(sources=recipe.data.sources)})
    assert prepare(recipe).description.shape == (3, 8, 8)


def test_training_on_a_mixture_resumes_bit_for_bit(folder: Folders, tmp_path: Path) -> None:
    dark, bright = folder("dark", 40, a=20, b=20), folder("bright", 210, a=8, b=8)
    recipe = recipe_of(sources=weighted((dark, 2), (bright, 1))).model_copy(update={"images": 256})
    check_resumes(recipe, tmp_path)


def test_a_mixture_is_trained_and_judged_by_its_own_held_out_samples(folder: Folders, tmp_path: Path) -> None:
    dark, bright = folder("dark", 40, a=40, b=40), folder("bright", 210, a=40, b=40)
    recipe = recipe_of(recognition, sources=weighted((dark, 2), (bright, 1))).model_copy(update={"images": 64})
    path = tmp_path / "mixed.yaml"
    path.write_text(dump_yaml(recipe), encoding="utf-8")
    run = gannet.train(str(path), out=tmp_path / "run")
    held_out = json.loads((run.folder / "data.json").read_text())["held_out"]
    (measure,) = gannet.judge(run.folder).measures
    assert measure.n_real == held_out
    (measure,) = gannet.judge(run.folder, bright).measures
    assert measure.n_real == 80


# Labels that are missing


@pytest.mark.parametrize(("task", "conditional"), [(generation, True), (recognition, True)])
def test_a_task_that_needs_classes_leaves_out_what_has_none(folder: Folders, task: Any, conditional: bool) -> None:
    data = folder("data", 100, a=20, b=20, loose=9)
    split = split_of(prepare(recipe_of(task, conditional, source=str(data))))
    assert len(split.training) + len(split.held_out) == 40
    assert split.notes == ("data: 9 have no class, left out.",)
    for side in (split.training, split.held_out):
        assert set(side.gather(0, 200)["label"].tolist()) <= {0, 1}


def test_unconditional_generation_keeps_what_has_no_class_as_a_class_behind_the_last(folder: Folders) -> None:
    data = folder("data", 100, a=20, b=20, loose=9)
    split = split_of(prepare(recipe_of(conditional=False, source=str(data))))
    assert len(split.training) + len(split.held_out) == 49 and split.notes == ()
    labels = [label for side in (split.training, split.held_out) for label in side.values("label").tolist()]
    assert Counter(labels) == {0: 20, 1: 20, 2: 9}
    assert int(split.training.gather(0, 500)["label"].min()) == 0


def test_no_batch_ever_holds_a_label_below_zero(folder: Folders) -> None:
    data, other = folder("data", 100, a=9, b=9, loose=9), folder("other", 200, a=9, b=9, loose=3)
    for more in ({"source": str(data)}, {"sources": weighted((data, 1), (other, 2))}):
        for conditional in (True, False):
            split = split_of(prepare(recipe_of(conditional=conditional, **more)))
            for side in (split.training, split.held_out):
                assert int(side.gather(0, 1000)["label"].min()) >= 0
                assert int(side.spread(100)["label"].min()) >= 0


def test_what_is_left_out_is_said_before_training_and_kept_in_the_run(folder: Folders, tmp_path: Path) -> None:
    data, told = folder("data", 100, a=20, b=20, loose=9), []
    (data / "a" / "broken.png").write_bytes(b"no picture")
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_yaml(recipe_of(source=str(data)).model_copy(update={"images": 32})), encoding="utf-8")
    run = gannet.train(str(path), out=tmp_path / "run", on_progress=lambda progress, _: told.append(progress))
    facts = json.loads((run.folder / "data.json").read_text(encoding="utf-8"))
    assert facts["training"] + facts["held_out"] == 40
    unreadable, unlabelled = facts["left_out"]
    assert unreadable.startswith("data: 1 left out; first a/broken.png: ") and unreadable.endswith(".")
    assert unlabelled == "data: 9 have no class, left out."
    trained = next(index for index, progress in enumerate(told) if isinstance(progress, Status))
    assert [progress.note for progress in told[:trained] if progress.note][:2] == [unreadable, unlabelled]


@pytest.mark.parametrize("changed", ["", "fingerprint", "training", "held_out"])
def test_data_are_the_same_whatever_else_an_older_version_noted_of_them(
    changed: str, folder: Folders, tmp_path: Path
) -> None:
    data, told = folder("data", 100, a=20, b=20), []
    path, noted = tmp_path / "recipe.yaml", tmp_path / "run" / "data.json"
    path.write_text(dump_yaml(recipe_of(source=str(data)).model_copy(update={"images": 32})), encoding="utf-8")
    gannet.train(str(path), out=tmp_path / "run")
    facts = json.loads(noted.read_text(encoding="utf-8")) | {"left_out": ["another sentence"], "further": 1}
    noted.write_text(json.dumps(facts | ({changed: 7} if changed else {})), encoding="utf-8")
    gannet.train(
        resume=tmp_path / "run", set={"images": 64}, on_progress=lambda progress, _: told.append(progress.note)
    )
    assert any("data changed" in note for note in told) == bool(changed)


def test_a_run_within_its_data_does_not_learn_from_what_it_drew(folder: Folders, tmp_path: Path) -> None:
    data, told = folder("data", 100, a=20, b=20), []
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_yaml(recipe_of(source=str(data)).model_copy(update={"images": 32})), encoding="utf-8")
    run = gannet.train(str(path), out=data / "run")
    noted = (run.folder / "data.json").read_bytes()
    assert list((run.folder / "samples").iterdir())
    gannet.train(resume=run.folder, set={"images": 64}, on_progress=lambda progress, _: told.append(progress.note))
    assert (run.folder / "data.json").read_bytes() == noted and not any("data changed" in words for words in told)
    for place in ("state", "model"):  # It was killed before there were any.
        shutil.rmtree(run.folder / place)
    (run.folder / "log.jsonl").unlink()
    assert open_source(str(data)).count() == 40


def test_nothing_is_noted_where_nothing_is_left_out(folder: Folders) -> None:
    data = folder("data", 100, a=20, b=20)
    assert split_of(prepare(recipe_of(source=str(data)))).notes == ()


@pytest.mark.parametrize("task", [generation, recognition])
def test_data_without_any_class_are_refused_where_one_is_needed(folder: Folders, task: Any) -> None:
    data = folder("data", 100, loose=9)
    with pytest.raises(ValueError, match=r"^data has no labels.* into a sub-folder"):
        prepare(recipe_of(task, source=str(data)))


@pytest.mark.parametrize("task", [generation, recognition])
def test_classes_of_which_nothing_can_be_read_are_refused_in_one_sentence(folder: Folders, task: Any) -> None:
    data = folder("data", 100, loose=30)
    for name in ("a", "b"):
        (data / name).mkdir()
        (data / name / "broken.png").write_bytes(b"no picture")
    prepared = prepare(recipe_of(task, source=str(data)))
    with pytest.raises(ValueError, match="too few of the 30 samples have a class"):
        split_of(prepared)


def test_where_all_that_is_held_out_lacks_a_class_others_are_held_out(folder: Folders) -> None:
    data = folder("data", 100, a=20, b=20)
    for index, file in enumerate(sorted((data / "a").iterdir())[:5]):
        (data / f"train/{index % 2}").mkdir(parents=True, exist_ok=True)
        file.rename(data / f"train/{index % 2}/{file.name}")
    (data / "b").rename(data / "test")
    for file in (data / "a").iterdir():
        file.rename(data / "train/0" / f"more-{file.name}")
    (data / "a").rmdir()
    split = split_of(prepare(recipe_of(recognition, source=str(data))))
    assert len(split.training) + len(split.held_out) == 20 and len(split.held_out) >= 1
    assert split.notes == ("data: 20 have no class, left out.",)


def test_how_numbers_are_read_is_said_before_training(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.random.default_rng(0).integers(0, 2, (40, 8, 8)))
    split = split_of(prepare(recipe_of(conditional=False, source=str(tmp_path / "a.npz"))))
    assert split.notes == ("a.npz: its whole numbers are 0 and 1 alone, and are read as black and white.",)


def test_a_generator_of_data_that_are_partly_without_classes_is_judged(folder: Folders, tmp_path: Path) -> None:
    data = folder("data", 100, a=60, b=60, loose=60)
    path = tmp_path / "recipe.yaml"
    recipe = recipe_of(conditional=False, source=str(data)).model_copy(update={"images": 256})
    path.write_text(dump_yaml(recipe), encoding="utf-8")
    run = gannet.train(str(path), out=tmp_path / "run")
    judgement = gannet.judge(run.folder, data)
    assert judgement.measures and set(judgement.by_class) <= {"a", "b"}


@pytest.mark.parametrize(
    ("theirs", "known", "numbers"),
    [
        (("b", "a"), ("a", "b", "c"), (1, 0)),
        (("0", "1"), ("Trouser", "Dress"), (0, 1)),
        (("Trouser", "Dress"), ("0", "1"), (0, 1)),
        (("1", "0"), ("0", "1"), (1, 0)),
        (("0", "1"), ("Trouser", "Dress", "Coat"), None),
        (("cat", "dog"), ("Trouser", "Dress"), None),
        ((), (), ()),
    ],
)
def test_classes_go_by_name_and_by_number_where_one_side_has_only_numbers(
    theirs: tuple[str, ...], known: tuple[str, ...], numbers: tuple[int, ...] | None
) -> None:
    assert class_numbers(theirs, known) == numbers
