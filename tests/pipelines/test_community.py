"""Networks that others trained: applied as Gannet's own are, and never trusted."""

from __future__ import annotations

import io
import os
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from safetensors.torch import save_file
from torch import Tensor, nn

import gannet
from gannet.commands.train import prepare
from gannet.media.photograph import Photograph, read_photograph
from gannet.pipelines import community, community_export, community_files
from gannet.pipelines.manifest import MANIFEST
from gannet.pipelines.stand_in import standing_in
from gannet.provenance.metadata import COMPOSITE, SOURCE_TYPE, read_facts
from gannet.schema import Choice
from gannet.task import find_task

with standing_in():
    spandrel: Any = pytest.importorskip("spandrel", reason="the extra gannet[community] is not installed")
RANDOM = np.random.default_rng(0)
SCALES = {"compact": 4, "esrgan": 2, "swinir": 2}
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
Command = Callable[..., Any]


@contextmanager
def unheard() -> Iterator[None]:
    """spandrel's own classes use what PyTorch calls old."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def built() -> dict[str, nn.Module]:
    """Small networks of three architectures, with random weights, whose pictures are neither black nor flat."""
    from spandrel.architectures.Compact import Compact
    from spandrel.architectures.ESRGAN import ESRGAN
    from spandrel.architectures.SwinIR import SwinIR

    torch.manual_seed(0)
    windows = {"depths": [2], "num_heads": [2], "window_size": 8, "upsampler": "pixelshuffledirect"}
    with unheard():
        networks = {
            "compact": Compact(num_feat=8, num_conv=2, upscale=4),
            "esrgan": ESRGAN(num_filters=8, num_blocks=1, scale=2),
            "swinir": SwinIR(img_size=16, embed_dim=12, upscale=2, **windows),
        }
    for network in networks.values():
        brighten(network.eval())
    return networks


@torch.no_grad()
def brighten(network: nn.Module) -> None:
    """Change the last convolution so that what it makes of noise lies about the middle."""
    last = [part for part in network.modules() if isinstance(part, nn.Conv2d)][-1]
    made: list[Tensor] = []
    handle = last.register_forward_hook(lambda *told: made.append(told[2]))
    network(torch.rand(1, 3, 32, 32))
    handle.remove()
    factor = 0.1 / made[0].std()
    last.bias.copy_((last.bias - made[0].mean()) * factor + 0.3)
    last.weight.mul_(factor)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of those networks."""
    folder, found = tmp_path_factory.mktemp("networks"), {}
    for name, network in built().items():
        found[name] = folder / f"{name}.safetensors"
        save_file({key: value.contiguous().clone() for key, value in network.state_dict().items()}, found[name])
    return found


@pytest.fixture(scope="module")
def loaded(files: dict[str, Path]) -> dict[str, Any]:
    """What applies them."""
    return {name: gannet.load(file) for name, file in files.items()}


def noise(*shape: int, kind: type = np.uint8) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, shape, kind)


@pytest.mark.parametrize("name", SCALES)
def test_tiles_give_what_the_whole_gives(name: str, loaded: dict[str, Any]) -> None:
    given, network = Photograph(noise(75, 100, 3)), loaded[name]
    whole, tiled = (network(given, tile=tile).value.values.astype(int) for tile in (256, 64))
    assert whole.shape == (75 * SCALES[name], 100 * SCALES[name], 3) and whole.std() > 10
    assert np.abs(whole - tiled).max() <= 1


def test_networks_of_convolutions_tell_how_far_they_see(loaded: dict[str, Any]) -> None:
    assert loaded["compact"].reach == 4 and 17 <= loaded["esrgan"].reach <= 21 and loaded["swinir"].reach is None


@pytest.mark.parametrize("name", ["compact", "esrgan"])
def test_a_network_gives_what_spandrel_says_that_it_gives(
    name: str, loaded: dict[str, Any], files: dict[str, Path]
) -> None:
    values = noise(20, 30, 3)
    given = torch.from_numpy(values / 255).float().permute(2, 0, 1)[None]
    expected = spandrel.ModelLoader().load_from_file(files[name])(given)[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(loaded[name](values).value.values - expected).max() <= 0.51


def test_transparency_profile_and_sixteen_bits_are_kept_and_marks_say_composite(loaded: dict[str, Any]) -> None:
    given = Photograph(noise(9, 12, 3, kind=np.uint16), noise(9, 12, kind=np.uint16), PROFILE)
    made = loaded["esrgan"](given)
    written = read_photograph(made.encode(".png"))
    assert written.values.shape == (18, 24, 3) and written.values.dtype == np.uint16
    assert written.alpha is not None and written.alpha.shape == (18, 24) and written.profile == PROFILE
    facts = read_facts(Image.open(io.BytesIO(made.encode(".png"))))
    assert facts == {SOURCE_TYPE: COMPOSITE, "model": "esrgan", "architecture": "ESRGAN"}


def test_grey_photographs_stay_grey(loaded: dict[str, Any]) -> None:
    assert loaded["compact"](noise(6, 7)).value.values.shape == (24, 28, 1)


def test_a_folder_goes_through_as_with_a_model_of_its_own(
    files: dict[str, Path], tmp_path: Path, gannet_command: Command
) -> None:
    (tmp_path / "photos" / "deep").mkdir(parents=True)
    for name in ("a.jpg", "deep/b.png"):
        Image.fromarray(noise(6, 5, 3)).save(tmp_path / "photos" / name)
    (tmp_path / "photos" / "bad.png").write_bytes(b"no picture")
    ended = gannet_command("apply", files["esrgan"], tmp_path / "photos", "--out", tmp_path / "big")
    assert ended.code == 3 and "2 done, 1 failed" in ended.out
    for name in ("a.jpg", "deep/b.png"):
        with Image.open(tmp_path / "big" / name) as made:
            assert made.size == (10, 12)
    assert (tmp_path / "big" / MANIFEST).is_file()
    ended = gannet_command("apply", files["esrgan"], tmp_path / "photos", "--out", tmp_path / "big")
    assert "0 done, 1 failed" in ended.out and "2 skipped" in ended.out


def test_the_help_of_a_network_tells_architecture_channels_and_scale(
    files: dict[str, Path], gannet_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    ended = gannet_command("apply", files["esrgan"], "--help")
    assert ended.code == 0 and "A community network: ESRGAN, colour (3 channels), scale 2." in ended.out
    assert "--tile" in ended.out and "--mask" not in ended.out
    assert "ESRGAN" in gannet.interface(files["esrgan"])["about"]


class Hole(nn.Module):
    """Paints what is lost in one colour, and ruins all else."""

    def __init__(self) -> None:
        super().__init__()
        self.colour = nn.Parameter(torch.tensor(51 / 255))

    def forward(self, picture: Tensor, mask: Tensor) -> Tensor:
        assert set(mask.unique().tolist()) <= {0.0, 1.0} and mask.shape == (1, 1, *picture.shape[2:])
        return mask * self.colour + (1 - mask) * (1 - picture)


def descriptor(network: nn.Module, purpose: str, **more: Any) -> Any:
    """What spandrel would tell of a network."""
    kind = spandrel.MaskedImageModelDescriptor if purpose == "Inpainting" else spandrel.ImageModelDescriptor
    usual = {"tags": [], "supports_half": False, "supports_bfloat16": False, "input_channels": 3, "output_channels": 3}
    told = {**usual, "architecture": SimpleNamespace(name="Hole"), "purpose": purpose, **more}
    return kind(network, network.state_dict(), **told)


@pytest.mark.parametrize("tile", [64, 1024])
@pytest.mark.parametrize("deep", [False, True])
def test_a_network_that_fills_gets_its_mask_and_all_else_stays(
    tile: int, deep: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(community, "read_network", lambda _: descriptor(Hole(), "Inpainting"))
    network = community.load_network(tmp_path / "hole.pth")
    values, lost = noise(80, 90, 3, kind=np.uint16 if deep else np.uint8), np.zeros((80, 90), np.uint8)
    lost[60:70, 50:80] = 255
    made = network(values, mask=lost, tile=tile)
    assert np.array_equal(made.value.values[lost == 0], values[lost == 0])
    assert (made.value.values[lost > 0] == (51 * 257 if deep else 51)).all()
    assert network.ending(".jpg") == ".png"
    with pytest.raises(ValueError, match="needs its mask: give a mask, light where"):
        network(values)
    with pytest.raises(ValueError, match="give one of the same size"):
        network(values, mask=lost[:10])


class Runs:
    """What a pickle calls when it is read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("ran",)


def save(name: str, value: object, **how: Any) -> None:
    torch.save(value, name, **how)


def scripted(name: str) -> None:
    with unheard():
        torch.jit.script(nn.Linear(2, 2)).save(name)


def inflated(name: str) -> None:
    """A zip of a few kilobytes that unpacks to many."""
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2**22))


FAULTS: Mapping[str, tuple[Callable[[str], None], str]] = {
    "calls.pth": (lambda name: save(name, {"a": torch.ones(2), "b": Runs()}), r"calls \w+\.mkdir, which would"),
    "older.ckpt": (
        lambda name: save(name, {"b": Runs()}, _use_new_zipfile_serialization=False),
        r"calls \w+\.mkdir, which would run code, and nothing of it was run",
    ),
    "script.pt": (scripted, "holds TorchScript, which would run code"),
    "noise.pth": (lambda name: Path(name).write_bytes(bytes(range(200))) and None, "is damaged, or no file of weights"),
    "empty.pth": (lambda name: Path(name).touch(), "is damaged, or no file of weights"),
    "list.pth": (lambda name: save(name, [1, 2]), "holds no weights by name"),
    "numbers.pth": (lambda name: save(name, {"epoch": 3}), "holds no weights by name"),
    "other.pth": (lambda name: save(name, {"state_dict": {"linear.weight": torch.ones(2, 2)}}), "of no network that"),
    "noise.safetensors": (lambda name: Path(name).write_bytes(b"no weights") and None, "no safetensors file"),
    "other.safetensors": (lambda name: save_file({"a.weight": torch.ones(2)}, name), "no network that spandrel knows"),
    "half.safetensors": (
        lambda name: save_file({"body.0.weight": torch.ones(2), "body.1.weight": torch.ones(2)}, name),
        "is damaged, or a network that spandrel does not know",
    ),
    "many.safetensors": (
        lambda name: save_file({f"body.{at}.weight": torch.ones(2) for at in (0, 1, 10**9)}, name),
        "names layers or sizes that it does not hold",
    ),
    "wide.pth": (
        lambda name: save(name, {"body.0.weight": torch.ones(8), "body.1.weight": torch.empty(10**12, 0)}),
        "names layers or sizes that it does not hold",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_is_no_network_is_one_sentence_and_nothing_of_it_is_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gannet_command: Command
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(noise(4, 4, 3)).save("photo.png")
    write, words = FAULTS[name]
    write(name)
    ended = gannet_command("apply", name, "photo.png", "--out", "big.png")
    assert ended.code == 2 and len(ended.err.splitlines()) == 1 and name in ended.err
    with pytest.raises(ValueError, match=words):
        gannet.load(name)
    assert not Path("ran").exists() and not Path("big.png").exists()


def test_weights_only_pickles_give_the_same_network(files: dict[str, Path], tmp_path: Path) -> None:
    network, values = built()["compact"], noise(5, 6, 3)
    torch.save({"params_ema": network.state_dict(), "epoch": 3}, tmp_path / "compact.pth")
    made = [gannet.load(file)(values).value.values for file in (tmp_path / "compact.pth", files["compact"])]
    assert np.array_equal(*made)


@pytest.mark.parametrize(
    ("purpose", "more", "words"),
    [
        ("FaceSR", {"scale": 1}, "wants faces that were cut out"),
        ("SR", {"scale": 2, "input_channels": 4, "output_channels": 4}, "takes pictures of 4 channels and makes"),
        ("SR", {"scale": 2, "output_channels": 1}, "takes pictures of 3 channels and makes some of 1"),
    ],
)
def test_what_is_no_network_for_photographs_is_refused(
    purpose: str, more: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(community, "read_network", lambda _: descriptor(nn.Conv2d(3, 3, 1), purpose, **more))
    with pytest.raises(ValueError, match=words):
        community.load_network(Path("faces.pth"))


def test_what_only_gannets_own_models_can_is_refused(
    files: dict[str, Path], loaded: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = files["compact"]
    with pytest.raises(ValueError, match="none called 'best'; leave weights out"):
        gannet.load(file, "best")
    with pytest.raises(ValueError, match="not a model that Gannet trained"):
        gannet.judge(file, "digits")
    with pytest.raises(ValueError, match="not a model that Gannet trained"):
        gannet.plan("super-resolution", start_from=file)
    with pytest.raises(ValueError, match="which is not exported"):
        gannet.export(file, tmp_path / "a.onnx")
    with pytest.raises(ValueError, match="stays the file that it is: copy"):
        loaded["compact"].save_pretrained(tmp_path / "saved")
    with pytest.raises(ValueError, match="has no strength"):
        loaded["compact"](noise(4, 4, 3), strength=0.5)
    with pytest.raises(ValueError, match="There is no file at absent.pth; give the file of a network"):
        gannet.load("absent.pth")
    own = gannet.pipelines.hub.model_folder("super-resolution") / "model.safetensors"
    with pytest.raises(ValueError, match="a model of Gannet's own; give its folder"):
        gannet.load(own)


def test_results_and_files_are_bounded(
    files: dict[str, Path], loaded: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = Photograph(np.zeros((1, 5_000, 3), np.uint8))
    with pytest.raises(ValueError, match=r"WEBP takes 16,383 pixels a side, not 20,000x4"):
        loaded["compact"].check_result({"photograph": wide}, ".webp")
    inflated(str(tmp_path / "bomb.pth"))
    monkeypatch.setattr(community_files, "MOST_BYTES", 2**14)
    for file, words in ((files["compact"], "has over 0 GiB"), (tmp_path / "bomb.pth", "unpacks to over 0 GiB")):
        with pytest.raises(ValueError, match=f"{file.name} {words}, the most that is read of a network"):
            gannet.load(file)


@pytest.mark.parametrize("zipped", [False, True])
def test_nothing_takes_as_much_memory_as_a_file_asks_for(
    zipped: bool, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = b"\x80\x02cbuiltins\nbytearray\nJ\x00\x00\x00\x10\x85R."
    (tmp_path / "asks.pth").write_bytes(asks)
    if zipped:
        with zipfile.ZipFile(tmp_path / "asks.pth", "w") as archive:
            archive.writestr("asks/data.pkl", asks)
    with pytest.raises(ValueError, match=r"asks.pth calls builtins.bytearray, .* nothing of it was run"):
        gannet.load(tmp_path / "asks.pth")
    monkeypatch.setattr(community_files, "MOST_NUMBERS", 1_000)
    with pytest.raises(ValueError, match="its sizes ask for more memory than a network has"):
        gannet.load(files["swinir"])(noise(8, 8, 3))


@pytest.mark.parametrize(("channels", "scale"), [(1, 2), (3, 2), (3, 1)])
def test_a_compact_network_is_exported_so_that_spandrel_gives_the_same_picture(
    channels: int, scale: int, tmp_path: Path, gannet_command: Command
) -> None:
    pipeline = compact(channels, scale)
    pipeline.save_pretrained(tmp_path / "fast")
    ended = gannet_command("export", tmp_path / "fast", "--to", "spandrel", "--out", tmp_path / "4x.safetensors")
    assert ended.code == 0 and "spandrel and PyTorch differ by" in ended.out
    theirs, photo = gannet.load(tmp_path / "4x.safetensors"), Photograph(noise(30, 40, channels))
    assert theirs.settings.architecture == "RealESRGAN Compact" and theirs.settings.scale == scale
    assert theirs.reach == pipeline.networks["generator"].receptive_radius
    ours, made = (one(photo).value.values.astype(int) for one in (pipeline, theirs))
    assert ours.std() > 10 and np.abs(ours - made).max() <= 1


def compact(channels: int, scale: int = 2) -> Any:
    """A pipeline of super-resolution whose network is the plain one."""
    task = find_task("super-resolution")
    example, network = task.example(), Choice(name="compact", width=4, layers=2)
    options = Choice(name="super-resolution", **{**example.task.options, "scale": scale, "degradation": "world"})
    recipe = example.model_copy(update={"network": network, "task": options})
    data = recipe.data.with_options(channels=channels, stack=channels)
    prepared = prepare(recipe.model_copy(update={"data": data}))
    torch.manual_seed(0)
    game = task.game(prepared.recipe, prepared.description)
    torch.nn.init.normal_(game.networks["generator"].body[-1].weight, std=0.1)
    return task.pipeline(prepared.recipe, prepared.description, {"generator": game.networks["generator"]})


def test_an_export_that_spandrel_could_not_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    how, out = gannet.api.ExportOptions(to="spandrel"), tmp_path / "a.safetensors"
    with pytest.raises(ValueError, match="is to end in .safetensors"):
        gannet.export("super-resolution", tmp_path / "a.onnx", options=how)
    with pytest.raises(ValueError, match="train one with network.name=compact"):
        gannet.export("super-resolution", out, options=how)
    monkeypatch.setattr(community_export, "_answers", lambda _, given: given.repeat_interleave(2, 2).repeat(1, 1, 1, 2))
    with pytest.raises(ValueError, match="spandrel's answers differ from PyTorch's by"):
        community_export.export(compact(1), out)
    assert not out.exists()


def test_without_spandrel_one_sentence_says_what_to_install(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "spandrel", None)
    with pytest.raises(ValueError, match=r"need spandrel; run: pip install 'gannet\[community\]'"):
        gannet.load(files["compact"])
