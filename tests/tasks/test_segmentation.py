"""Segmentation: it learns, is judged by the numbers that count, and gives maps of the size of what was shown."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import gannet
from gannet.commands.train import prepare, split_of
from gannet.data.sources.shapes import draw_shapes
from gannet.media.label_map import colour_table
from gannet.metrics.judgement import Judgement
from gannet.recipe import Average, Checkpoints, Data, Optimizer, Recipe, dump_yaml
from gannet.schema import Choice
from gannet.tasks import segmentation
from gannet.tasks.segmentation import SegmentationPipeline, as_shares, counted, overlap_lacking

IGNORED = 4
Writer = Callable[..., Path]


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return draw_shapes(np.random.default_rng(seed))


@pytest.fixture(scope="module")
def write_pairs(tmp_path_factory: pytest.TempPathFactory) -> Writer:
    """Write so many pairs of shapes; `change` has the last word on picture and map."""

    def write(count: int, first: int = 0, change: Callable[..., Any] = lambda *pair: pair) -> Path:
        folder = tmp_path_factory.mktemp("pairs") / "data"
        for number in range(first, first + count):
            for part, values in zip(("images", "labels"), change(*drawn(number)), strict=True):
                (folder / part).mkdir(parents=True, exist_ok=True)
                Image.fromarray(values).save(folder / part / f"{number}.png")
        return folder

    return write


def recipe_of(data: str | Path = "shapes", images: int = 512, size: Any = 16, **options: Any) -> Recipe:
    example = segmentation.example()
    changes = {
        "data": Data(source=str(data), size=size, channels=3),
        "task": Choice(name="segmentation", **options),
        "images": images,
    }
    return example.model_copy(update=changes)


def train(recipe: Recipe, folder: Path) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".yaml")
    path.write_text(dump_yaml(recipe), encoding="utf-8")
    return gannet.train(str(path), out=folder).folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the embedded shapes of a few seconds."""
    changes = {
        "average": Average(half_life=300),
        "network": Choice(name="unet", width=8, depth=3),
        "optimizer": {segmentation.SEGMENTER: Optimizer(learning_rate=5e-3, betas=(0.9, 0.99))},
        "checkpoint": Checkpoints(every=4_000),
    }
    recipe = recipe_of(images=4_000, kinds=[]).model_copy(update=changes)
    return train(recipe, tmp_path_factory.mktemp("runs") / "shapes")


def figures(judgement: Judgement) -> dict[str, float]:
    return {measure.name: measure.value for measure in judgement.measures}


def test_it_learns_the_embedded_shapes_above_the_commonest_class(run: Path) -> None:
    judgement = gannet.judge(run)
    mine, common = judgement.baselines
    assert common.name == "commonest class"
    found, plain = figures(judgement), {measure.name: measure.value for measure in common.measures}
    assert found["mean IoU"] > 1.3 * plain["mean IoU"]
    assert mine.measures[0].low > common.measures[0].high
    assert found["pixel accuracy"] > plain["pixel accuracy"]
    assert {f"IoU of {name}" for name in ("ground", "disc", "square", "cross")} <= set(found)
    assert [measure.value for measure in mine.measures] == [found["mean IoU"], found["pixel accuracy"]]


def test_it_is_judged_by_another_folder_of_pairs(run: Path, write_pairs: Writer) -> None:
    """Which has no classes.txt: names and numbers are the model's."""
    judgement = gannet.judge(run, write_pairs(40, first=1_000))
    assert figures(judgement)["mean IoU"] > 0.26
    assert judgement.measures[0].n_real == 40
    assert {"IoU of ground", "IoU of cross"} <= set(figures(judgement))


def test_a_perfect_answer_scores_one(write_pairs: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = train(recipe_of(write_pairs(20), images=16, classes=4), tmp_path / "run")
    truth = {part["image"].numpy().tobytes(): part["map"] for part in held_out(folder)}
    monkeypatch.setattr(SegmentationPipeline, "told", lambda _, pictures: truth[pictures.numpy().tobytes()])
    found = figures(gannet.judge(folder))
    assert found["mean IoU"] == found["pixel accuracy"] == 1.0


def held_out(folder: Path) -> list[dict[str, torch.Tensor]]:
    side = split_of(prepare(gannet.Run(folder).recipe)).held_out
    return list(side.parts(segmentation.BATCH, len(side)))


# What does not count


def nobodys(picture: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number a band of a map as nobody's."""
    numbers = numbers.copy()
    numbers[:, 10:14] = IGNORED
    return picture, numbers


def test_what_the_map_says_where_nothing_counts_changes_neither_learning_nor_judging(
    write_pairs: Writer, tmp_path: Path
) -> None:
    """The same pictures; the numbers that are ignored are 4 in one run, 255 in another."""

    def as_255(picture: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        picture, numbers = nobodys(picture, numbers)
        return picture, np.where(numbers == IGNORED, 255, numbers).astype(np.uint8)

    runs = [
        train(
            recipe_of(write_pairs(30, change=change), images=128, classes=4, ignore=[IGNORED]), tmp_path / name / "run"
        )
        for name, change in (("four", nobodys), ("last", as_255))
    ]
    weights = [(run / "model" / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] == weights[1]
    assert figures(gannet.judge(runs[0])) == figures(gannet.judge(runs[1]))


def lacking(scores: torch.Tensor, truth: torch.Tensor) -> float:
    """The overlap that scores (b, classes, h, w) lack, where maps (b, h, w) are not 255."""
    counts, true = as_shares(truth, scores.shape[1])
    return overlap_lacking(scores.softmax(1) * counts, true).item()


def test_overlap_does_not_feel_scores_where_nothing_counts() -> None:
    torch.manual_seed(0)
    scores, maps = torch.randn(2, 4, 6, 6), torch.randint(0, 4, (2, 6, 6))
    maps[:, :2] = IGNORED
    truth = counted(maps, (IGNORED,), 4)
    assert (truth[:, :2] == 255).all() and torch.equal(truth[:, 2:], maps[:, 2:])
    other = scores.clone()
    other[:, :, :2] = 10 * torch.randn(2, 4, 2, 6)
    assert lacking(scores, truth) == pytest.approx(lacking(other, truth), rel=1e-6)


def test_cross_entropy_is_that_of_the_pixels_that_count() -> None:
    prepared = prepare(recipe_of(classes=4, ignore=[IGNORED], kinds=[]))
    game = prepared.task.game(prepared.recipe, prepared.description)
    network = game.networks[segmentation.SEGMENTER].eval()
    sample = {"image": torch.randn(2, 3, 16, 16), "map": torch.randint(0, 5, (2, 16, 16))}
    run: Any = type("Run", (), {"sample": sample})()
    found = game.turns[0].play(run).losses[segmentation.SEGMENTER]["cross_entropy"]
    expected = torch.nn.functional.cross_entropy(network(sample["image"]), sample["map"], ignore_index=IGNORED)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_a_game_does_not_feel_pixels_where_nothing_counts() -> None:
    """By the game itself: the loss of maps of which all pixels are nobody's is none."""
    prepared = prepare(recipe_of(classes=4, ignore=[IGNORED], kinds=[]))
    game = prepared.task.game(prepared.recipe, prepared.description)
    sample = {"image": torch.randn(2, 3, 16, 16), "map": torch.full((2, 16, 16), IGNORED)}
    sample["map"][:, :, 8:] = torch.randint(0, 4, (2, 16, 8))

    def losses(numbers: torch.Tensor) -> dict[str, float]:
        run: Any = type("Run", (), {"sample": {**sample, "map": numbers}})()
        torch.manual_seed(0)
        (found,) = game.turns[0].play(run).losses.values()
        return {name: value.item() for name, value in found.items()}

    last = torch.where(sample["map"] == IGNORED, 255, sample["map"])
    assert losses(sample["map"]) == losses(last)
    assert losses(sample["map"]) != losses(torch.where(sample["map"] == IGNORED, 0, sample["map"]))


def test_an_ignored_class_is_never_told(write_pairs: Writer, tmp_path: Path) -> None:
    folder = train(recipe_of(write_pairs(20), images=32, classes=4, ignore=[0]), tmp_path / "run")
    told = gannet.load(folder).told(torch.randn(3, 3, 16, 16))
    assert told.shape == (3, 16, 16) and int(told.min()) > 0


def test_an_overlap_is_that_of_the_classes_that_are_there() -> None:
    """Perfect scores lack nothing, whatever classes are absent; the wrong class everywhere lacks nearly all."""
    truth = torch.zeros(1, 40, 40, dtype=torch.long)
    truth[:, :20] = 2
    sure = 100 * torch.nn.functional.one_hot(truth, 4).permute(0, 3, 1, 2).float()
    assert lacking(sure, truth) == pytest.approx(0, abs=1e-6)
    wrong = sure.roll(1, 1)
    assert lacking(wrong, truth) == pytest.approx(1 - 100 / 900, abs=1e-4)
    assert lacking(sure, torch.full_like(truth, 255)) == pytest.approx(1.0)


# Numbers that do not fit


def test_a_number_beyond_the_classes_is_refused_in_one_sentence(write_pairs: Writer, tmp_path: Path) -> None:
    data = write_pairs(20, change=nobodys)
    with pytest.raises(ValueError, match=r"hold the number 4, and there are 4 classes .*task\.ignore=\[4\]"):
        train(recipe_of(data, classes=4), tmp_path / "run")


def test_what_is_refused_leaves_no_run_behind(write_pairs: Writer, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="number 4"):
        train(recipe_of(write_pairs(20, change=nobodys), classes=4), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_classes_are_counted_by_the_maps_and_named_by_classes_txt(write_pairs: Writer) -> None:
    data = write_pairs(20)
    assert prepare(recipe_of(data)).description.classes == ("0", "1", "2", "3")
    (data / "classes.txt").write_text("ground\ndisc\nsquare\ncross\nlorry\n", encoding="utf-8")
    assert prepare(recipe_of(data)).description.classes == ("ground", "disc", "square", "cross", "lorry")
    assert prepare(recipe_of(data, classes=6)).description.classes == tuple("012345")


def test_ignored_numbers_are_no_classes(write_pairs: Writer) -> None:
    data = write_pairs(20, change=nobodys)
    assert len(prepare(recipe_of(data)).description.classes) == 5
    assert len(prepare(recipe_of(data, ignore=[IGNORED])).description.classes) == 4


def test_maps_of_one_class_are_refused(write_pairs: Writer) -> None:
    data = write_pairs(4, change=lambda picture, numbers: (picture, 0 * numbers))
    with pytest.raises(ValueError, match="one class only"):
        prepare(recipe_of(data))


def test_maps_of_which_none_can_be_read_are_refused_in_a_sentence(write_pairs: Writer) -> None:
    data = write_pairs(4, change=lambda picture, numbers: (picture, np.stack([numbers] * 3, 2)))
    with pytest.raises(ValueError, match="label map") as caught:
        prepare(recipe_of(data))
    assert "iterable" not in str(caught.value)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def with_large_numbers(path: Path) -> None:
    Image.fromarray(np.full((32, 32), 700, np.uint16)).save(path)


@pytest.mark.parametrize("spoil", [cut_short, with_large_numbers])
@pytest.mark.parametrize("classes", ["auto", 4])
def test_one_broken_map_is_left_out_and_stops_nobody(
    write_pairs: Writer, spoil: Callable[[Path], None], classes: int | str
) -> None:
    data = write_pairs(20)
    spoil(data / "labels" / "7.png")
    split = split_of(prepare(recipe_of(data, classes=classes)))
    assert len(split.training) + len(split.held_out) == 19
    assert "images/7.png" in split.notes[0]


@pytest.mark.parametrize("kind", ["elastic", "cutout"])
def test_augmentations_that_maps_cannot_follow_are_refused_before_training(kind: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{kind} changes pictures where nothing"):
        train(recipe_of(kinds=[kind]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_without_pairs_is_refused_by_naming_what_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    Image.new("L", (32, 32)).save(tmp_path / "cats" / "1.png")
    with pytest.raises(ValueError, match="images/"):
        prepare(recipe_of(tmp_path))


# What it makes


@pytest.mark.parametrize(("width", "height"), [(50, 37), (32, 32), (9, 70), (300, 200)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_map_has_the_size_of_the_photograph_and_a_palette(
    run: Path, tmp_path: Path, width: int, height: int, mode: str
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    photo = tmp_path / "photo.png"
    Image.fromarray(noise).convert(mode).save(photo)
    saved = gannet.load(run)(photo).save(tmp_path / "map.png")
    with Image.open(saved) as picture:
        assert picture.size == (width, height) and picture.mode == "P"
        assert picture.getpalette()[: 3 * 256] == colour_table().ravel().tolist()
        assert set(np.unique(np.asarray(picture)).tolist()) <= {0, 1, 2, 3}
        words = " ".join(map(str, picture.info.values()))
    assert "trainedAlgorithmicMedia" in words and gannet.load(run).name in words


def test_a_photograph_of_shapes_is_told_right_at_its_own_size(run: Path, tmp_path: Path) -> None:
    pipeline, right = gannet.load(run), []
    for seed in range(2_000, 2_010):
        picture, numbers = drawn(seed)
        Image.fromarray(picture).save(tmp_path / "photo.png")
        told = pipeline(tmp_path / "photo.png")
        assert pipeline.classes == ("ground", "disc", "square", "cross")
        right.append([float((one == numbers).mean()) for one in (told.value.numpy(), np.zeros_like(numbers))])
    mine, ground = np.mean(right, 0)
    assert mine > ground, "more than ground everywhere"


def test_a_saved_map_is_read_again_as_the_same_numbers(run: Path, tmp_path: Path) -> None:
    Image.fromarray(drawn(3)[0]).save(tmp_path / "photo.png")
    told = gannet.load(run)(tmp_path / "photo.png")
    with Image.open(told.save(tmp_path / "map.png")) as picture:
        np.testing.assert_array_equal(np.asarray(picture), told.value.numpy())


def test_a_map_is_saved_as_png_only(run: Path, tmp_path: Path) -> None:
    Image.fromarray(drawn(3)[0]).save(tmp_path / "photo.png")
    with pytest.raises(ValueError, match=r"^Label maps are saved as \.png, not \.jpg\.$"):
        gannet.load(run)(tmp_path / "photo.png").save(tmp_path / "map.jpg")
    assert not (tmp_path / "map.jpg").exists()


def test_scores_of_a_batch_are_those_of_its_pictures(run: Path) -> None:
    pictures = torch.randn(20, 3, 16, 16)
    scores = gannet.load(run).scores(pictures)
    assert scores.shape == (20, 4, 16, 16)
    torch.testing.assert_close(scores[17:18], gannet.load(run).scores(pictures[17:18]), atol=1e-4, rtol=1e-4)


def test_sheets_show_picture_truth_and_what_is_told(run: Path) -> None:
    sheets = sorted((run / "samples").glob("*.png"))
    with Image.open(sheets[-1]) as sheet:
        assert sheet.width > 16 and sheet.height >= 3 * 16


# Shapes that are no squares, and the command line


@pytest.mark.parametrize("size", [(16, 24), (24, 16)])
def test_pictures_that_are_not_square_train_are_judged_and_applied(
    tmp_path: Path, write_pairs: Writer, size: tuple[int, int]
) -> None:
    folder = train(recipe_of(write_pairs(20), images=32, size=size), tmp_path / "run")
    assert gannet.Run(folder).recipe.data.options["size"] == list(size)
    assert gannet.load(folder).scores(torch.zeros(1, 3, *size)).shape == (1, 4, *size)
    judgement = gannet.judge(folder, write_pairs(10, first=500))
    assert judgement.measures[0].n_real == 10


@pytest.mark.parametrize("size", [(16, 24), (24, 16)])
def test_pictures_of_the_models_own_size_are_not_said_to_be_brought_to_size(
    tmp_path: Path, write_pairs: Writer, size: tuple[int, int]
) -> None:
    height, width = size
    data = write_pairs(10, change=lambda picture, numbers: (picture[:height, :width], numbers[:height, :width]))
    folder = train(recipe_of(data, images=32, size=size, classes=4), tmp_path / "run")
    assert gannet.judge(folder, data).notes == ()


def test_the_recipe_is_dry_run_on_the_embedded_shapes(
    gannet_command: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--set", "data.size=[16,24]", "--set", "network.width=4", "--set", "device=cpu", "--set", "batch=4")
    ended = gannet_command("train", "segmentation", "shapes", "--dry-run", *words)
    assert ended.code == 0, ended.err
    assert "parameters: segmenter" in ended.out and "nothing was written" in ended.out
    assert "classes: 4" in ended.out and list(tmp_path.iterdir()) == []


def test_it_trains_and_is_judged_from_the_command_line(
    gannet_command: Callable[..., Any], tmp_path: Path, write_pairs: Writer
) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(dump_yaml(recipe_of("shapes", images=32)), encoding="utf-8")
    ended = gannet_command("train", path, write_pairs(20), "--out", tmp_path / "run")
    assert ended.code == 0, ended.err
    ended = gannet_command("judge", tmp_path / "run")
    assert ended.code == 0 and "mean IoU" in ended.out, ended.err


@pytest.mark.parametrize("fit", ["crop", "middle"])
def test_a_picture_of_another_size_is_told_at_the_scale_that_was_learned_from(fit: str, tmp_path: Path) -> None:
    """Coarse and fine checks differ by their scale alone, so a picture at another one would be told wrong."""
    random = np.random.default_rng(0)
    for number in range(24):
        cells = random.permutation([2, 8])
        halves = [np.kron(random.integers(0, 2, (64 // cell, 32 // cell)), np.ones((cell, cell))) for cell in cells]
        told = np.repeat([[int(cell == 8) for cell in cells]], 32, 1).repeat(64, 0)
        for folder, values in (("images", 255 * np.hstack(halves)), ("labels", told)):
            (tmp_path / "checks" / folder).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values.astype(np.uint8)).save(tmp_path / "checks" / folder / f"{number:02}.png")
    changes = {"data.size": 32, "data.fit": fit, "data.channels": 1, "images": 1_600, "device": "cpu", "task.kinds": []}
    changes |= {"network.width": 8, "network.depth": 2, "network.fold": 1, "average.half_life": 100}
    run = gannet.train("segmentation", tmp_path / "checks", out=tmp_path / "run", set=changes)
    pipeline: Any = gannet.load(run.folder)
    right = []
    for number in range(24):
        truth = np.asarray(Image.open(tmp_path / "checks" / "labels" / f"{number:02}.png"))
        right.append((pipeline(tmp_path / "checks" / "images" / f"{number:02}.png").value.numpy() == truth).mean())
    judged = gannet.judge(run.folder, tmp_path / "checks").measures[1].value
    assert np.mean(right) > judged - 0.1 and judged > 0.85
    shutil.copytree(run.folder / "model", tmp_path / "alone")
    assert gannet.judge(tmp_path / "alone", tmp_path / "checks").measures[1].value == judged
