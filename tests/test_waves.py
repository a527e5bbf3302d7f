"""A third party's medium and task, in files of their own: trained, resumed, judged, reported and examined.

Nothing in `src` knows of them: they are found by the entry points that lie beside them in `tests/plugin`.
"""

import ast
import hashlib
import json
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gannet_signals
import gannet_waves
import numpy as np
import pytest
import yaml
from contracts import check_resumes
from PIL import Image

import gannet
from gannet.api import doctor
from gannet.commands.train import prepare, split_of
from gannet.data.sources.shapes import draw_shapes
from gannet.media import find_medium, medium_names
from gannet.recipe import Data, Recipe, dump_yaml
from gannet.task import find_task, task_names

SOURCE, PLUGIN = Path(gannet.__file__).parent, Path(__file__).parent / "plugin"
BROKEN, PICKLED = "broken.npy", "pickled.npy"


class Trap:
    """Runs when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def write_signals(folder: Path, count: int = 60, first: int = 0) -> Path:
    folder.mkdir(parents=True)
    for number in range(first, first + count):
        np.save(folder / f"{number}.npy", gannet_signals.sine(number))
    return folder


@pytest.fixture
def signals(tmp_path: Path) -> Path:
    """Sines of differing length; one file is cut short, one is a pickle, one holds a picture."""
    folder = write_signals(tmp_path / "signals")
    whole = (folder / "0.npy").read_bytes()
    (folder / BROKEN).write_bytes(whole[: len(whole) // 2])
    np.save(folder / PICKLED, np.array([Trap(tmp_path / "sprung")], object), allow_pickle=True)
    np.save(folder / "square.npy", np.zeros((4, 4), np.float32))
    return folder


def recipe_of(data: Path, images: int = 256) -> Recipe:
    example = gannet_waves.example()
    return example.model_copy(update={"data": Data(source=str(data), length=32), "images": images})


def train(data: Path, out: Path) -> gannet.Run:
    path = out.with_suffix(".yaml")
    path.write_text(dump_yaml(recipe_of(data)), encoding="utf-8")
    return gannet.train(str(path), out=out)


def test_it_is_found_by_its_entry_points() -> None:
    assert find_medium("signal") is gannet_signals.medium
    assert find_task("waves") is gannet_waves
    assert "signal" in medium_names() and "waves" in task_names()


def names_in(path: Path) -> set[str]:
    """What a file could name a module, a task or a source by: its identifiers and whole strings; prose is none."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        return {str(token.value) for token in yaml.scan(text) if isinstance(token, yaml.ScalarToken)}
    nodes = list(ast.walk(ast.parse(text)))
    named = [
        value for node in nodes for key in ("id", "attr", "name", "module", "arg") for value in [getattr(node, key, "")]
    ]
    return {str(name) for name in named} | {
        node.value for node in nodes if isinstance(node, ast.Constant) if isinstance(node.value, str)
    }


def test_nothing_in_the_package_knows_of_it() -> None:
    """It lies in tests/plugin only, imports change nothing, and no file of the package names it."""
    assert {Path(module.__file__ or "").parent for module in (gannet_signals, gannet_waves)} == {PLUGIN}
    files = [path for path in sorted(SOURCE.rglob("*")) if path.suffix in {".py", ".yaml"}]
    assert files
    for path in files:
        assert not {"gannet_waves", "gannet_signals", "sines", "waves"} & names_in(path), path


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", "from gannet_waves import medium", True),
        ("a.py", "import gannet_signals as other", True),
        ("a.py", "known = {'waves': 1}", True),
        ("a.yaml", "task: waves", True),
        ("a.py", '"""Draw a sum of waves, which are sines."""', False),
        ("a.yaml", "advice: It is made of waves.", False),
    ],
)
def test_a_file_that_names_it_is_told_from_one_that_speaks_of_waves(
    name: str, text: str, found: bool, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert bool({"gannet_waves", "gannet_signals", "sines", "waves"} & names_in(tmp_path / name)) is found


def test_importing_it_changes_nothing_in_the_package() -> None:
    words = f"""
import sys
sys.path[:0] = [{str(PLUGIN)!r}, {str(SOURCE.parent)!r}]
import gannet.api, gannet.commands.doctor
from gannet.task import find_task, task_names
names = [name for name in task_names() if name != "waves"]
for name in names:
    find_task(name)
def state():
    own = {{name: module for name, module in sys.modules.items() if name.split(".")[0] == "gannet"}}
    return {{(name, key): id(value) for name, module in own.items() for key, value in vars(module).items()}}
before = state()
import gannet_waves
assert state() == before
"""
    stamps = [hashlib.sha256(path.read_bytes()).digest() for path in sorted(SOURCE.rglob("*.py"))]
    subprocess.run([sys.executable, "-c", words], check=True)
    assert stamps == [hashlib.sha256(path.read_bytes()).digest() for path in sorted(SOURCE.rglob("*.py"))]


def test_files_that_are_no_signals_are_left_out_and_counted(signals: Path, tmp_path: Path) -> None:
    split = split_of(prepare(recipe_of(signals)))
    (note,) = split.notes
    assert note.startswith(f"signals: 3 left out; first {BROKEN}: ")
    batch = split.training.gather(0, 64)
    assert next(iter(batch)) == "signal" and batch["signal"].shape == (64, 32)
    assert int(batch["signal_length"].min()) >= 20 and int(batch["signal_length"].max()) == 32
    assert not (tmp_path / "sprung").exists()


def test_held_out_signals_are_whole_signals(signals: Path) -> None:
    """No signal is on both sides, however many windows it has."""
    split = split_of(prepare(recipe_of(signals)))
    sides = [side.columns["signal"] for side in (split.training, split.held_out)]  # type: ignore[attr-defined]
    chosen = [set(side.chosen.tolist()) for side in (split.training, split.held_out)]  # type: ignore[attr-defined]
    assert not chosen[0] & chosen[1] and len(chosen[0] | chosen[1]) == len(sides[0]) == 60


def test_it_trains_is_judged_and_reported(signals: Path, tmp_path: Path) -> None:
    run = train(signals, tmp_path / "run")
    assert run.ending == "finished" and not (tmp_path / "sprung").exists()
    facts = json.loads((run.folder / "data.json").read_text(encoding="utf-8"))
    assert facts["left_out"][0].startswith("signals: 3 left out")
    assert facts["training"] + facts["held_out"] == sum(-(-len(gannet_signals.sine(n)) // 32) for n in range(60))
    (measure,) = gannet.judge(run.folder).measures
    assert measure.name == "energy distance" and measure.n_real == facts["held_out"]
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    for words in ("Fakes that pass for real", "Diversity of the fakes", "energy distance", "<svg"):
        assert words in page
    assert {"whole", "part", "generator", "r1-whole", "r1-part"} <= {
        name.split("/")[0] for line in run.log() for name in named(line)
    }


def named(line: dict[str, Any]) -> set[str]:
    """The names at any depth of a line of the log, `turn/player/loss` from the turn on."""
    return {word for name, value in line.items() for word in {name, *(named(value) if isinstance(value, dict) else ())}}


def test_it_is_judged_by_another_folder(signals: Path, tmp_path: Path) -> None:
    run = train(signals, tmp_path / "run")
    other = write_signals(tmp_path / "other", count=20, first=500)
    (measure,) = gannet.judge(run.folder, other).measures
    assert measure.n_real == sum(-(-len(gannet_signals.sine(n)) // 32) for n in range(500, 520))
    assert gannet.judge(run.folder, "sines").measures[0].n_real > measure.n_real


def test_its_sheets_are_seen_and_heard(signals: Path, tmp_path: Path) -> None:
    run = train(signals, tmp_path / "run")
    sheets = sorted((run.folder / "samples").glob("*.png"))
    assert sheets and [sheet.with_suffix(".wav") for sheet in sheets] == sorted((run.folder / "samples").glob("*.wav"))
    with Image.open(sheets[-1]) as sheet:
        assert sheet.size == (32, 4 * gannet_signals.HEIGHT)
        assert "trainedAlgorithmicMedia" in " ".join(map(str, sheet.info.values()))
    with wave.open(str(sheets[-1].with_suffix(".wav"))) as file:
        assert (file.getnframes(), file.getframerate()) == (4 * 32, gannet_signals.RATE)


def test_it_resumes_bit_for_bit(signals: Path, tmp_path: Path) -> None:
    recipe = recipe_of(signals)
    check_resumes(recipe, tmp_path)


def test_a_saved_model_draws_the_same_waves(signals: Path, tmp_path: Path) -> None:
    run = train(signals, tmp_path / "run")
    pipeline: Any = gannet.load(run.folder)
    assert isinstance(pipeline, gannet_waves.WavesPipeline)
    assert pipeline(3, seed=1).values.shape == (3, 32)
    again: Any = gannet.load(run.folder / "model")
    assert bool((pipeline(3, seed=1).values == again(3, seed=1).values).all())


def test_it_trains_and_is_judged_from_the_command_line(
    signals: Path, tmp_path: Path, gannet_command: Callable[..., Any]
) -> None:
    path = tmp_path / "waves.yaml"
    path.write_text(dump_yaml(recipe_of(Path("sines"))), encoding="utf-8")
    ended = gannet_command("train", path, signals, "--out", tmp_path / "run", "--set", "data.length=16")
    assert ended.code == 0, ended.err
    assert gannet.Run(tmp_path / "run").recipe.data.options == {"length": 16}
    ended = gannet_command("judge", tmp_path / "run")
    assert ended.code == 0 and "energy distance" in ended.out, ended.err
    ended = gannet_command("train", path, "--set", "data.lenght=16", "--out", tmp_path / "other")
    assert ended.code == 2 and "length" in ended.err and not (tmp_path / "other").exists()


def test_what_it_does_not_read_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "pictures" / "1.png")
    with pytest.raises(ValueError, match=r"holds no signals .*give a folder or zip of signals \(\.npy\), or sines\."):
        prepare(recipe_of(tmp_path / "pictures"))
    with pytest.raises(ValueError, match="no data called"):
        prepare(recipe_of(tmp_path / "nowhere"))


# The doctor


def test_the_doctor_examines_signals(signals: Path, tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    np.save(signals / "copy.npy", gannet_signals.sine(7))
    ended = gannet_command("doctor", signals)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("signals: 61 signals, ")
    for words in ("3 left out:", BROKEN, "1 exact duplicates, such as 7.npy = copy.npy", "The loudest reaches 1.00."):
        assert words in ended.out, words
    assert "Tasks that learn from signals: waves." in ended.out
    report = doctor(signals)
    lengths = [len(gannet_signals.sine(number)) for number in [*range(60), 7]]
    assert report.sizes == {str(length): lengths.count(length) for length in lengths}
    assert (report.count, report.unreadable_count, report.kind) == (61, 3, "signals")
    assert not (tmp_path / "sprung").exists()


def test_a_recipe_that_the_doctor_names_can_be_trained(signals: Path) -> None:
    recipe = doctor(signals).advice.recipe
    assert not recipe or gannet.load_recipe(recipe)


def test_signals_without_any_that_can_be_read_are_refused_by_the_doctor(tmp_path: Path) -> None:
    (tmp_path / "signals").mkdir()
    (tmp_path / "signals" / BROKEN).write_bytes(b"no array")
    with pytest.raises(ValueError, match="signals holds no readable signal"):
        doctor(tmp_path / "signals")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for number in range(12):
        for part, values in zip(("images", "labels"), draw_shapes(np.random.default_rng(number)), strict=True):
            (tmp_path / "pairs" / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(values).save(tmp_path / "pairs" / part / f"{number}.png")
    (tmp_path / "pairs" / "labels" / "11.png").unlink()
    return tmp_path / "pairs"


def test_the_doctor_examines_pairs(pairs: Path, gannet_command: Callable[..., Any]) -> None:
    ended = gannet_command("doctor", pairs)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("pairs: 11 pictures with label maps, ")
    assert "1 left out:" in ended.out and "images/11.png" in ended.out
    assert "Classes by their share of the pixels: 0: " in ended.out
    assert "Recipe: segmentation." in ended.out and "Sizes: 32x32 (11)." in ended.out


def test_the_doctor_counts_no_pictures_by_the_classes_of_pixels(pairs: Path) -> None:
    (pairs / "classes.txt").write_text("ground\ndisc\nsquare\ncross\n", encoding="utf-8")
    for data in (pairs, "shapes"):
        assert not [line for line in doctor(data).lines() if "0 to 0" in line]


def test_the_doctor_names_the_classes_of_pixels(pairs: Path) -> None:
    (pairs / "classes.txt").write_text("ground\ndisc\nsquare\n", encoding="utf-8")
    [line] = [line for line in doctor(pairs).lines() if line.startswith("Classes by their share of the pixels: ")]
    shares = dict(one.split(": ") for one in line.removesuffix(".").split("pixels: ")[1].split(", "))
    assert list(shares) == ["ground", "disc", "square", "3"], "a class beyond the names keeps its number"
    assert sum(float(share.rstrip("%")) for share in shares.values()) == pytest.approx(100, abs=0.3)


def test_the_doctor_examines_pairs_on_the_shelf(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANNET_DATA", str(pairs.parent))
    assert doctor("pairs").kind == "pictures with label maps"


def test_the_doctor_examines_points(gannet_command: Callable[..., Any]) -> None:
    ended = gannet_command("doctor", "ring")
    assert ended.code == 0, ended.err
    assert ended.out.startswith("ring: 100,000 points, 10,000 of them held out.") and "Recipe: ring." in ended.out


def test_it_is_applied_to_a_file_and_to_a_folder(tmp_path: Path, gannet_command: Callable[..., Any]) -> None:
    run = train(Path("sines"), tmp_path / "run").folder
    told = gannet_command("apply", run, "--help").out
    assert "--num" in told and "- signal (signal)" in told and "--input" not in told
    for out in ("some", "some.zip", "one.npy", "sheet.png"):
        words = ("--num", 1 if out == "one.npy" else 5, "--seed", 2, "--out", tmp_path / out)
        assert gannet_command("apply", run, *words).code == 0
    pipeline: Any = gannet.load(run)
    drawn = pipeline(5, seed=2).values.numpy()
    made = [np.load(path) for path in sorted((tmp_path / "some").iterdir())]
    assert len(made) == 5 and all(np.array_equal(*pair) for pair in zip(made, drawn, strict=True))
    np.testing.assert_allclose(np.load(tmp_path / "one.npy"), drawn[0], atol=1e-6)
    with zipfile.ZipFile(tmp_path / "some.zip") as archive:
        assert sorted(archive.namelist()) == [f"{index:06d}.npy" for index in range(5)]
    with pytest.raises(ValueError, match="signals go to a folder or a .zip"):
        gannet.apply(run, out=tmp_path / "some.parquet", num=5)
