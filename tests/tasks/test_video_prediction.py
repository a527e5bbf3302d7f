"""Video prediction: futures of stills and films, their files, and how they are judged."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts import make_trainer
from films import film, levels
from PIL import Image
from torch import Tensor
from torch.nn.functional import pdist

import gannet
from gannet.commands.train import prepare
from gannet.media.films import at_rate, read_film
from gannet.metrics.options import JudgeOptions
from gannet.networks.moving_layers import laid
from gannet.pipelines.samples import latents
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, SYNTHETIC, encode_picture, read_facts
from gannet.recipe import dump_yaml, load_recipe
from gannet.schema import Choice
from gannet.tasks import video_prediction
from gannet.tasks._video.data import Description
from gannet.tasks.video_prediction.config import Settings
from gannet.tasks.video_prediction.evaluation import energies_of, figures, foreground_energy, nearest
from gannet.tasks.video_prediction.game import LOOKED_AT, clip_distance, nearest_by, smaller, some_frames
from gannet.tasks.video_prediction.pipeline import VideoPredictionPipeline, farthest_first


def untrained(given: int = 1, channels: int = 3) -> VideoPredictionPipeline:
    """A model of clips of 6 frames of 16x16 that has learned nothing, and whose futures differ."""
    torch.manual_seed(0)
    description = Description(name="films", shape=(channels, 6, 16, 16), rate=10)
    network = Choice(name="moving-layers", width=4, latent=4, parts=2)
    made = VideoPredictionPipeline.build(Settings(description=description, network=network, given=given))
    torch.nn.init.normal_(made.network.steps.weight)
    return made


@pytest.fixture(scope="module")
def model() -> VideoPredictionPipeline:
    return untrained()


@pytest.fixture(scope="module")
def folder(model: VideoPredictionPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save_pretrained(tmp_path_factory.mktemp("models") / "films")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photograph of noise, 40x24."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 40, 3)).astype(np.uint8)).save(path)
    return path


class Draws:
    """A pass that draws for so many clips, always the same."""

    def __init__(self, count: int) -> None:
        self.count, self.source = count, torch.Generator().manual_seed(3)

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(self.count, *shape, generator=self.source)

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(self.count, *shape, generator=self.source)


def test_a_future_is_the_same_whatever_the_number_and_each_differs(model: VideoPredictionPipeline) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    many, few = (model(picture, num=num, seed=2)["clip"] for num in (4, 2))
    alone = model(picture, first=3, seed=2)["clip"]
    assert torch.equal(many[:2], few) and torch.equal(many[3:], alone)  # type: ignore[index, arg-type]
    assert not torch.equal(many[0], many[1])  # type: ignore[index]
    assert not torch.equal(many, model(picture, num=4, seed=3)["clip"])  # type: ignore[arg-type]


def test_points_are_ordered_by_how_far_they_lie_from_all_before() -> None:
    assert farthest_first(torch.tensor([[0.0], [1], [10], [4]]), 4) == [0, 2, 3, 1]
    assert sorted(farthest_first(torch.zeros(5, 2), 5)) == list(range(5))


def test_futures_of_a_seed_go_ways_less_alike_than_noise_does(model: VideoPredictionPipeline) -> None:
    frames = torch.rand(1, 3, 1, 16, 16) * 2 - 1
    chosen = torch.cat([model.future(frames, 0, number).mask for number in range(6)])
    network, parted = model.network, model.network.parted(frames)
    drawn = torch.cat(
        [laid(parted, network.motion(parted, latents(network, 0, number, 1))).mask for number in range(6)]
    ).detach()
    nearest_two = [pdist(clips.flatten(1)).min() for clips in (chosen, drawn)]
    assert torch.equal(chosen[0], drawn[0])
    assert nearest_two[0] > 1.2 * nearest_two[1]


def test_the_given_frames_come_out_level_by_level() -> None:
    clip = np.random.default_rng(1).integers(0, 256, (5, 16, 16, 3)).astype(np.uint8)
    made: Any = untrained(given=2)(clip)["clip"]
    assert np.array_equal(((made[0, :, :2] + 1) * 127.5).round().numpy(), clip[-2:].transpose(3, 0, 1, 2))
    assert made.shape == (1, 3, 6, 16, 16)


def test_longer_than_learned_goes_on_and_begins_alike(model: VideoPredictionPipeline) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    usual, long = model(picture), model(picture, frames=150)
    assert long["clip"].shape[2] == 150 and long["mask"].shape[2] == 149  # type: ignore[attr-defined]
    torch.testing.assert_close(long["clip"][:, :, :6], usual["clip"])  # type: ignore[index]
    with pytest.raises(ValueError, match="frames is 1, of which the first 1 are given"):
        model(picture, frames=1)
    with pytest.raises(ValueError, match="num times frames is 4,096 at most; given: 64 and 65"):
        model(picture, num=64, frames=65)
    with pytest.raises(ValueError, match="num is 1 or more and seed 0 or more; given: 0 and 0"):
        model(picture, num=0)


def test_the_layers_of_what_comes_make_it_up(model: VideoPredictionPipeline) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    made: Any = model(picture, num=3).values
    share, still = (made["mask"] + 1) / 2, made["background"][None, :, None]
    blended = share * made["foreground"] + (1 - share) * still
    torch.testing.assert_close(blended, made["clip"][:, :, 1:], atol=1e-5, rtol=0)


def test_a_photograph_becomes_a_film_beside_its_layers_all_marked_as_composite(
    folder: Path, photo: Path, gannet_command: Callable[..., Any]
) -> None:
    out = photo.with_name("future.mp4")
    layers = ["--save", "foreground", "--save", "background", "--save", "mask"]
    ended = gannet_command("apply", folder, photo, "--out", out, "--seed", 5, *layers)
    assert ended.code == 0, ended.err
    assert "it is 40x24; what goes on is its middle, brought to 16x16" in " ".join(ended.out.split())
    made = read_film(out.read_bytes())
    assert made.size == (16, 16) and made.rate == 10 and len(list(at_rate(made, 10))) == 6
    assert made.facts[SOURCE_TYPE] == COMPOSITE and made.facts["seed"] == 5
    for layer in ("foreground", "mask"):
        beside = read_film(out.with_name(f"future.{layer}.mp4").read_bytes())
        assert beside.facts[SOURCE_TYPE] == COMPOSITE and len(list(at_rate(beside, 10))) == 5
    with Image.open(out.with_name("future.background.png")) as still:
        assert still.size == (16, 16) and read_facts(still)[SOURCE_TYPE] == COMPOSITE


def test_several_futures_play_side_by_side_or_lie_on_a_sheet(
    folder: Path, photo: Path, gannet_command: Callable[..., Any]
) -> None:
    for ending in ("gif", "png"):
        out = photo.with_name(f"futures.{ending}")
        ended = gannet_command("apply", folder, photo, "--out", out, "--num", 4, "--frames", 12)
        assert ended.code == 0, ended.err
    with Image.open(photo.with_name("futures.png")) as sheet:
        assert sheet.width > sheet.height and read_facts(sheet)["num"] == 4
    played = read_film(photo.with_name("futures.gif").read_bytes())
    assert played.size == (484, 484) and len(list(at_rate(played, 10))) == 12


def test_without_a_name_a_picture_becomes_an_mp4_and_many_go_to_a_folder(
    folder: Path, photo: Path, gannet_command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photo.parent)
    assert gannet_command("apply", folder, photo).code == 0
    assert read_film((photo.parent / "photo-video-prediction.mp4").read_bytes()).size == (16, 16)
    pictures = photo.parent / "pictures"
    pictures.mkdir()
    for name in ("a.png", "b.png"):
        (pictures / name).write_bytes(photo.read_bytes())
    (pictures / "c.png").write_text("no picture")
    ended = gannet_command("apply", folder, pictures, "--out", photo.parent / "futures")
    assert ended.code == 3 and "c.png" in ended.out + ended.err
    assert sorted(path.name for path in (photo.parent / "futures").glob("*.mp4")) == ["a.mp4", "b.mp4"]


def test_a_film_goes_on_after_its_last_frames_and_one_too_short_is_told(
    tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    two = untrained(given=2).save_pretrained(tmp_path / "two")
    (tmp_path / "film.mp4").write_bytes(film(levels(*[0] * 20, 120, 240, size=(16, 16)), rate=10))
    made: Any = gannet.load(two)(tmp_path / "film.mp4")  # type: ignore[operator]
    begun = ((made["clip"][0, :, :2] + 1) * 127.5).mean((0, 2, 3)).tolist()
    assert begun == pytest.approx([120, 240], abs=4)
    Image.new("RGB", (16, 16)).save(tmp_path / "still.png")
    ended = gannet_command("apply", two, tmp_path / "still.png")
    assert ended.code == 2 and "What is given has 1 frame, and the model goes on from 2" in ended.err


def test_numbered_pictures_of_a_folder_are_a_film_and_several_such_folders_several(
    tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    two = untrained(given=2).save_pretrained(tmp_path / "two")
    walks = tmp_path / "walks"
    for name, last in (("here", 240), ("there", 60)):
        (walks / name).mkdir(parents=True)
        for number, grey in enumerate((0, 0, 120, last), 8):  # Of other order by name: 10 before 8.
            Image.new("RGB", (16, 16), (grey,) * 3).save(walks / name / f"frame{number}.png")
    made: Any = gannet.load(two)(walks / "here")  # type: ignore[operator]
    assert ((made["clip"][0, :, :2] + 1) * 127.5).mean((0, 2, 3)).tolist() == pytest.approx([120, 240])
    assert gannet_command("apply", two, walks, "--out", tmp_path / "many").code == 0
    assert sorted(path.name for path in (tmp_path / "many").glob("*.mp4")) == ["here.mp4", "there.mp4"]
    assert gannet_command("apply", two, walks / "here", "--out", tmp_path / "one.mp4").code == 0
    (walks / "here" / "frame10.png").write_text("no picture")
    broken = gannet_command("apply", two, walks / "here", "--out", tmp_path / "broken.mp4")
    assert broken.code == 2 and "frame10.png cannot be read" in broken.err and not (tmp_path / "broken.mp4").exists()


def test_folders_with_dots_keep_their_names_and_only_one_that_changed_is_made_again(
    tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    model, walks = untrained(given=2).save_pretrained(tmp_path / "two"), tmp_path / "walks"
    for name in ("walk.01", "walk.02", "walk.gif"):
        (walks / name).mkdir(parents=True)
        for number in (1, 2):
            Image.new("RGB", (16, 16), (number,) * 3).save(walks / name / f"{number}.png")
    asked = ("apply", model, walks, "--out", tmp_path / "out", "--json")

    def skipped() -> int:
        ended = gannet_command(*asked)
        assert ended.code == 0, ended.err
        return int(json.loads(ended.out)["result"]["skipped"])

    assert skipped() == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("*.mp4")) == sorted(
        f"{path.name}.mp4" for path in walks.iterdir()
    )
    (walks / "walk.01" / "Thumbs.db").touch()
    (walks / "walk.02" / "1.png").touch()
    assert skipped() == 3, "no picture of them changed"
    Image.new("RGB", (16, 16), (9,) * 3).save(walks / "walk.01" / "2.png")
    (walks / "walk.02" / "2.png").rename(walks / "walk.02" / "3.png")
    assert skipped() == 1


def test_two_series_in_a_folder_and_a_folder_without_any_are_told(
    tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    two = untrained(given=2).save_pretrained(tmp_path / "two")
    for name in ("left1", "left2", "right1", "right2"):
        Image.new("RGB", (16, 16)).save(tmp_path / f"{name}.png")
    ended = gannet_command("apply", two, tmp_path, "--out", tmp_path / "many")
    assert ended.code == 2 and "several series of numbered files" in ended.err
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="a folder is a clip where it holds pictures that are numbered.*none"):
        gannet.load(two)(tmp_path / "empty")  # type: ignore[operator]


def test_what_a_picture_said_of_a_model_is_kept(model: VideoPredictionPipeline) -> None:
    marked = encode_picture(Image.new("RGB", (16, 16)), {"model": "painter"})
    made: Any = model(marked)
    assert "painter" in str(made.facts["clip"]) and made.facts["clip"][SOURCE_TYPE] in (COMPOSITE, SYNTHETIC)


@pytest.mark.parametrize("draws", [1, 5])
def test_the_future_nearest_to_the_truth_is_the_one_that_learns(draws: int) -> None:
    network = untrained().network
    frames, clips = torch.rand(4, 3, 1, 16, 16) * 2 - 1, torch.rand(4, 3, 5, 16, 16) * 2 - 1
    found: Any = nearest_by(network, draws)(frames, clips, Draws(4))  # type: ignore[arg-type]
    again = Draws(4)
    latent, at = again.normal(draws, 4), some_frames(again, 5)  # type: ignore[arg-type]
    assert at.tolist() == [list(range(5))] * 4 and torch.equal(found.true, clips)
    with torch.no_grad():
        parted = network.parted(frames)
        motions = [network.motion(parted, latent[:, draw]) for draw in range(draws)]
        small = [laid(parted.smaller(4), motion).clip() for motion in motions]
        apart = torch.stack([(one - smaller(clips, 4)).abs().mean((1, 2, 3, 4)) for one in small])
        for row, best in enumerate(apart.argmin(0)):
            made = laid(parted, motions[best]).clip()[row]
            torch.testing.assert_close(found.layers.clip()[row].detach(), made, atol=1e-4, rtol=1e-4)


def test_frames_that_are_looked_at_come_from_all_of_a_clip_and_differ() -> None:
    at = some_frames(Draws(200), 31)  # type: ignore[arg-type]
    assert at.shape == (200, LOOKED_AT) and bool((at.diff() >= 0).all())
    assert set(at.flatten().tolist()) == set(range(31))


def test_distance_in_small_knows_near_from_far() -> None:
    clips = torch.zeros(3, 1, 1, 32, 32)
    for row, left in enumerate((4, 6, 20)):
        clips[row, ..., 8:12, left : left + 2] = 1
    near, far = (float(clip_distance(clips[:1], clips[row : row + 1])) for row in (1, 2))
    flat = [float((clips[:1] - clips[row : row + 1]).abs().mean()) for row in (1, 2)]
    assert flat[0] == flat[1] and near < 0.7 * far
    assert float(clip_distance(clips, clips + 0.25)) == pytest.approx(0.25)


def test_players_move_in_the_stages_that_are_theirs(tmp_path: Path) -> None:
    trainer = make_trainer(video_prediction.example(), tmp_path)
    turns = {turn.name: turn.stages for turn in trainer.setup.game.turns}
    assert turns.pop("learn") == ("pixel",)
    assert turns == dict.fromkeys(["clip", "r1-clip", "frame", "r1-frame", "generator"], ("game",))
    seen: dict[str, tuple[int, ...]] = {}
    for name in ("clip", "frame"):
        network = trainer.setup.game.networks[name]
        network.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: tuple(given[0].shape[1:])}))
    for _ in range(18):
        trainer.round()
    assert seen == {"clip": (3, 4, 8, 8), "frame": (3, 8, 8)}, "the clip's discriminator sees the given frames, too"


def test_nothing_is_learned_where_all_frames_are_given() -> None:
    example = video_prediction.example()
    wrong = example.model_copy(update={"task": Choice(name="video-prediction", given=4)})
    with pytest.raises(ValueError, match=r"task\.given is 4 and data\.length 4: nothing would be left to predict"):
        prepare(wrong)


def moving_square() -> Tensor:
    """A white square that goes to the right over a dark ground, (1, 3, 21, 32, 32)."""
    clip = torch.full((1, 3, 21, 32, 32), -0.5)
    for frame in range(21):
        clip[:, :, frame, 8:14, frame : frame + 6] = 1
    return clip


def test_figures_of_the_truth_are_perfect_and_those_of_other_clips_follow_the_formula() -> None:
    clip = moving_square()
    future, still = clip[:, :, 1:], clip.median(2, keepdim=True).values
    perfect = figures(future, future, None)
    assert perfect["PSNR, frame 8"] == 100 and perfect["SSIM, frame 20"] == pytest.approx(1)
    erased = figures(still.expand_as(future), future, None)
    # 36 of 1024 pixels are 1.5 of 2 wrong, of which Y has 219 of 255 levels.
    assert erased["PSNR, frame 4"] == pytest.approx(-10 * np.log10(36 / 1024 * (0.75 * 219 / 255) ** 2), abs=1e-4)
    copied = figures(clip[:, :, :1].expand_as(future), future, None)
    assert copied["PSNR, frame 1"] > copied["PSNR, frame 4"] > copied["PSNR, frame 8"] - 1e-6
    assert torch.equal(nearest([still.expand_as(future), future, -future], future), future)


def test_energies_are_those_of_what_differs_from_what_stands_still() -> None:
    clip = moving_square()
    future, still = clip[:, :, 1:], clip.median(2, keepdim=True).values
    true = 36 / 1024 * 1.5**2
    assert energies_of(future, future, still) == pytest.approx((true, true))
    assert energies_of(still.expand_as(future), future, still) == pytest.approx((0, true))


def test_a_clip_that_hardly_moves_does_not_decide_how_much_moves() -> None:
    usual = [(0.05, 0.1), (0.06, 0.1), (0.04, 0.1)]
    [found] = foreground_energy("energy", [*usual, (0.01, 1e-4)])
    assert found.value == pytest.approx(0.16 / 0.3001) and found.best == 1
    assert foreground_energy("energy", [(0.1, 0.0), (0.2, 0.0)]) == []


def test_the_interval_of_the_energy_covers_the_ratio_of_sums_as_often_as_it_says() -> None:
    random, covered = np.random.default_rng(0), 0
    for _ in range(400):
        true = random.gamma(2, 0.05, 60)
        made = 0.8 * true * random.gamma(4, 0.25, 60)
        [found] = foreground_energy("energy", list(zip(made.tolist(), true.tolist(), strict=True)))
        covered += found.low <= 0.8 <= found.high
    assert 0.91 < covered / 400 < 0.98


def test_a_model_is_judged_beside_what_predicts_nothing(tmp_path: Path) -> None:
    trainer = make_trainer(video_prediction.example(), tmp_path / "run")
    trainer.round()
    trainer.checkpoint()
    (tmp_path / "run" / "recipe.yaml").write_text(dump_yaml(trainer.recipe))
    judged = gannet.judge(tmp_path / "run", query=JudgeOptions(num=6))
    table = {row.name: {found.name: found for found in row.measures} for row in judged.baselines}
    assert list(table) == [
        "one future",
        "nearest of 10 futures",
        "last given frame",
        "mean frame",
        "moving thing erased",
    ]
    assert all(found["PSNR, frame 1"].n_real == 6 for found in table.values())
    assert table["nearest of 10 futures"]["PSNR, frame 2"].value >= table["one future"]["PSNR, frame 2"].value
    assert table["moving thing erased"]["foreground energy, frame 2"].value == pytest.approx(0, abs=1e-3)
    assert judged.measures == list(table["one future"].values())


def test_the_recipe_for_moving_digits_is_small() -> None:
    recipe = load_recipe("moving-digits-future")
    description = Description(name="moving-digits", shape=(3, 32, 64, 64), rate=25)
    with torch.device("meta"):
        game = video_prediction.game(recipe, description)
    assert sum(one.numel() for one in game.networks["generator"].parameters()) < 1_000_000


def test_grey_models_take_colours(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("RGB", (16, 16), (255, 0, 0)).save(content, "PNG")
    made: Any = untrained(channels=1)(content.getvalue())
    assert made["clip"].shape[1] == 1 and ((made["clip"][0, 0, 0] + 1) * 127.5).mean() == pytest.approx(76, abs=1)
