"""Video generation: two streams against two discriminators; clips and their layers as files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from contracts import make_trainer
from PIL import Image

import gannet
from gannet.adversarial.discriminator_augment import DiscriminatorAugment
from gannet.adversarial.game import Seen
from gannet.commands.train import prepare
from gannet.media.films import at_rate, read_film
from gannet.provenance.metadata import SOURCE_TYPE, SYNTHETIC, read_facts
from gannet.recipe import Recipe, load_recipe
from gannet.schema import Choice
from gannet.tasks import video_generation
from gannet.tasks._video.game import CLIP, FRAME, discriminators
from gannet.tasks.video_generation.game import Sparsity
from gannet.tasks.video_generation.pipeline import Settings, VideoGenerationPipeline
from gannet.training.passes import BatchPass, Place


@pytest.fixture(scope="module", params=["two-stream", "moving-sprites"])
def model(request: pytest.FixtureRequest) -> VideoGenerationPipeline:
    """An untrained generator of grey clips of 8 frames of 16x16, of three classes."""
    torch.manual_seed(0)
    description = video_generation.Description(name="films", shape=(1, 8, 16, 16), rate=10, classes=("a", "b", "c"))
    network = Choice(name=request.param, width=2, latent=8)
    return VideoGenerationPipeline.build(Settings(description=description, network=network, conditional=True))


@pytest.fixture(scope="module")
def folder(model: VideoGenerationPipeline, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save_pretrained(tmp_path_factory.mktemp("models") / "films")


def test_a_clip_is_the_same_whatever_the_number(model: VideoGenerationPipeline) -> None:
    many, few = model(num=6, seed=3), model(num=2, seed=3)
    assert torch.equal(many.values[:2], few.values) and not torch.equal(many.values, model(num=6, seed=4).values)
    assert many.labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert model(num=2, label="b").labels.tolist() == [1, 1]
    with pytest.raises(ValueError, match="does not know the class 'd'"):
        model(label="d")


def test_files_say_the_seed_also_where_none_was_asked_for(
    folder: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    ended = gannet_command("apply", folder, "--class", "b", "--out", tmp_path / "one.mp4")
    assert ended.code == 0, ended.err
    assert read_film((tmp_path / "one.mp4").read_bytes()).facts["seed"] == 0


def test_the_layers_of_clips_lie_beside_them_and_make_them_up(model: VideoGenerationPipeline) -> None:
    drawn = model(num=5, seed=1)
    foreground, background, mask = (drawn.further[name].together() for name in ("foreground", "background", "mask"))
    assert background.shape == (5, 1, 16, 16)
    share = (mask + 1) / 2
    blended = share * foreground + (1 - share) * background[:, :, None]
    torch.testing.assert_close(blended, drawn.values, atol=1e-5, rtol=0)


@pytest.mark.parametrize("ending", [".mp4", ".gif"])
def test_a_clip_is_written_with_its_layers_and_all_are_marked(
    ending: str, folder: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    layers = ["--save", "foreground", "--save", "background", "--save", "mask"]
    ended = gannet_command("apply", folder, "--out", tmp_path / f"one{ending}", "--seed", 2, *layers, "--json")
    assert ended.code == 0, ended.err
    still = "one.background.gif" if ending == ".gif" else "one.background.png"
    names = [f"one{ending}", f"one.foreground{ending}", still, f"one.mask{ending}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert all(name in ended.out for name in names)
    for name in (names[0], names[1], names[3]):
        film = read_film((tmp_path / name).read_bytes())
        assert film.facts[SOURCE_TYPE] == SYNTHETIC and film.facts["seed"] == 2
        assert film.size == (16, 16) and len(list(at_rate(film, 10))) == 8
    assert ending == ".gif" or film.rate == 10  # Frames that are alike are one in a GIF.
    with Image.open(tmp_path / still) as picture:
        assert read_facts(picture)[SOURCE_TYPE] == SYNTHETIC and picture.size == (16, 16)


def test_many_clips_go_to_a_folder_a_file_each(
    folder: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    ended = gannet_command("apply", folder, "--out", tmp_path / "clips", "--num", 5, "--save", "mask")
    assert ended.code == 0, ended.err
    names = sorted(path.relative_to(tmp_path / "clips").as_posix() for path in (tmp_path / "clips").rglob("*.*"))
    wanted = [f"{'abc'[number % 3]}/{number:06d}{layer}.mp4" for number in range(5) for layer in ("", ".mask")]
    assert names == sorted(wanted)
    film = read_film((tmp_path / "clips" / "a" / "000003.mp4").read_bytes())
    single = gannet.load(folder)(num=4).values[3]
    frames = np.stack(list(at_rate(film, 10)))[..., 0]
    assert np.abs(frames - ((single[0] + 1) * 127.5).numpy()).mean() < 6


def test_several_clips_in_one_file_are_a_sheet_or_play_side_by_side(
    folder: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    for ending in ("png", "gif"):
        ended = gannet_command("apply", folder, "--out", tmp_path / f"all.{ending}", "--num", 4)
        assert ended.code == 0, ended.err
    with Image.open(tmp_path / "all.gif") as played, Image.open(tmp_path / "all.png") as sheet:
        assert played.n_frames > 1 and sheet.width > sheet.height
        assert read_facts(played)[SOURCE_TYPE] == read_facts(sheet)[SOURCE_TYPE] == SYNTHETIC


def test_another_layer_is_refused_before_anything_is_drawn(
    folder: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    ended = gannet_command("apply", folder, "--out", tmp_path / "one.mp4", "--save", "depth")
    assert ended.code == 2 and "it has: foreground, background, mask" in ended.err
    (tmp_path / "one.mask.mp4").touch()
    ended = gannet_command("apply", folder, "--out", tmp_path / "one.mp4", "--save", "mask")
    assert ended.code == 2 and "one.mask.mp4" in ended.err and not (tmp_path / "one.mp4").exists()


def test_the_discriminators_see_colours_and_single_frames_and_the_mask_has_its_penalty(tmp_path: Path) -> None:
    recipe = video_generation.example()
    trainer = make_trainer(recipe, tmp_path)
    seen: dict[str, tuple[int, ...]] = {}
    for name in ("clip", "frame"):
        network = trainer.setup.game.networks[name]
        network.register_forward_pre_hook(lambda _, given, name=name: seen.update({name: tuple(given[0].shape[1:])}))
    for _ in range(4):
        trainer.round()
    assert seen == {"clip": (3, 4, 8, 8), "frame": (3, 8, 8)}
    names = [turn.name for turn in trainer.setup.game.turns]
    assert names == ["clip", "r1-clip", "frame", "r1-frame", "generator"]


def test_several_frames_of_each_clip_are_looked_at_with_the_class_of_their_clip() -> None:
    clips = torch.arange(5.0)[:, None, None, None, None] + torch.arange(8.0)[:, None, None] / 10
    run = BatchPass({"real": clips, "label": torch.arange(5)}, Place(0, 0, 0, "frame"), 5, slice(5))
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def look(frames: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        seen.append((frames[:, 0, 0, 0], label))
        return torch.zeros(len(frames))

    networks: Any = {CLIP: look, FRAME: look}
    _, frames = discriminators(networks, DiscriminatorAugment(), 1, first=2, count=3)
    assert frames.score(frames.view(clips.expand(5, 1, 8, 4, 4), run), run).logits.shape == (5, 3)
    ((values, label),) = seen
    assert torch.equal(values.floor().long(), label) and torch.equal(label, torch.arange(5).repeat_interleave(3))
    assert float((values - values.floor()).min()) > 0.15, "from the third on"


def test_the_penalty_of_the_mask_grows_to_its_weight() -> None:
    sparsity = Sparsity(0.4, 1_000)
    weights = []
    for images in (0, 250, 1_000, 5_000):
        sparsity.observe(Seen(images, 16, {}, {}))
        weights.append(sparsity.measures()["weight"])
    assert weights == pytest.approx([0, 0.1, 0.4, 0.4])
    again = Sparsity(0.4, 1_000)
    again.load_state_dict(sparsity.state_dict())
    assert again.weight == sparsity.weight


def test_what_recipes_ask_of_clips_is_checked(tmp_path: Path) -> None:
    example = video_generation.example()

    def changed(**sections: Any) -> Recipe:
        return example.model_copy(update=sections)

    resolved = prepare(changed(augment=Choice(name="auto"))).recipe
    assert resolved.augment.name == "diffaugment" and set(resolved.augment.options["kinds"]) == {
        "brightness",
        "contrast",
        "saturation",
        "shift",
    }
    with pytest.raises(ValueError, match="cutout is not done to clips"):
        prepared = prepare(changed(augment=Choice(name="diffaugment", kinds=["shift", "cutout"])))
        video_generation.game(prepared.recipe, prepared.description)
    grouped = Choice(**{**example.network.model_dump(), "group": 3})
    with pytest.raises(ValueError, match="network.group is 3, and "):
        make_trainer(changed(network=grouped, batch=4), tmp_path)
    with pytest.raises(ValueError, match="optimizer"):
        prepare(Recipe(**{**example.model_dump(), "optimizer": {"discriminator": {}}}))


def test_the_recipe_for_moving_digits_draws_a_clip_of_32_frames() -> None:
    recipe = load_recipe("moving-digits")
    description = video_generation.Description(name="moving-digits", shape=(3, 32, 64, 64), rate=25)
    with torch.device("meta"):
        game = video_generation.game(recipe, description)
    sizes = {name: sum(one.numel() for one in network.parameters()) for name, network in game.networks.items()}
    assert sizes["generator"] < 5_000_000, json.dumps(sizes)
