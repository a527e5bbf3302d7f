"""Does the code here still do what a commit did? Both play the same recipes on this machine; then bytes are compared.

    python benchmarks/same_as.py COMMIT [--python PATH/TO/python] [--keep FOLDER] [--cases generation ring ...]

Every task's example and a few real recipes are trained, killed in the middle (SIGKILL), resumed to the end, used and
judged: once by the commit's code, which is cloned into a folder of its own, and once by the code here. Compared are
checkpoints, models, logs, sheets, verdicts, what was made, judgements, and the cache, to the byte but for clocks. Both
codes run in one environment, which is built of `constraints.txt`; `--python` names one that has the dependencies
already. `--keep` keeps the clone, the environment and what the commit's code made, to be held against again. Keys of
recipes and judgements that only one side knows are named, and are no difference; so is what the code here measures,
logs or keeps in the cache besides. Keys of recipes and models that were renamed are compared by today's names. It ends
with 1 where anything differs.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image
from safetensors import safe_open

HERE = Path(__file__).parents[1]
EXTRAS = "parquet,baselines"
OLD, NEW = "the commit", "here"
FEW = {"images": 2048, "checkpoint.every": 512, "log.every": 256, "log.sheet_every": 1024, "referee.every": 512}
"""What makes a real recipe last for seconds."""
SMALL = {"batch": 16, "network.width": 16, "network.latent": 16, "device": "cpu"}
PICTURES = "PICTURES"
"""Stands for the folder of pictures that `draw_pictures` makes."""
REAL: dict[str, tuple[str, dict[str, Any]]] = {
    "digits": ("digits", FEW),
    "digits-mlp": ("digits-mlp", FEW),
    "ring": ("ring", FEW),
    "labelled-ada": (
        "images",
        {**FEW, **SMALL, "data.source": PICTURES, "task.conditional": True, "augment.name": "ada"},
    ),
    "grouped": ("images", {**FEW, **SMALL, "data.source": PICTURES, "data.group": "/(p[0-9]+)", "data.limit": 60}),
    "stacked": (
        "stacked-mnist",
        {**FEW, "data.source": "digits", "data.size": 8, "network.width": 8, "network.latent": 16},
    ),
}
"""Real recipes: which one of the commit's, and what is changed."""
TIMES = ("progress/seconds", "log")
"""What of a checkpoint differs from run to run: the clock, and the length of the log, which tells the time."""
SECONDS = ("fit_seconds", "sample_milliseconds")
"""What of a judgement differs from run to run."""
PHOTOGRAPHS = ("super-resolution", "inpainting", "restoration", "colorization")

FORMER = {
    "piece": "patch",
    "police": "discriminator_width",
    "moves": "update",
    "in-turn": "alternating",
    "at-once": "simultaneous",
}
"""Former names of recipes' keys and choices -> today's."""
CONFIG = "config.json"

HOST = """
import json, os, sys, traceback
import gannet.api, gannet.cli  # What takes longer than most commands.
for line in sys.stdin:
    code, sys.argv, *said = json.loads(line)
    child = os.fork()
    if not child:
        for number, path in enumerate(said, 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        status = 0
        try:
            exec(code, {"__name__": "__main__"})
        except SystemExit as leaving:
            status = leaving.code or 0
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
DUMP = """
import json, sys
from pathlib import Path
from gannet.recipe import dump_yaml, load_recipe
from gannet.task import find_task, task_names
folder = Path(sys.argv[1])
for name in task_names():
    (folder / f"{name}.yaml").write_text(dump_yaml(find_task(name).example()), encoding="utf-8")
for name, (recipe, changes) in json.loads(sys.argv[2]).items():
    (folder / f"{name}.yaml").write_text(dump_yaml(load_recipe(recipe, changes)), encoding="utf-8")
"""
KILLED = """
import inspect, os, signal, sys
import gannet
class Killer:
    def __call__(self, status, *_):
        # What is told before there is a run tells of data.
        if hasattr(status, "images") and status.done >= int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
    def show(self, status, *_):
        if status.images >= int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
    def say(self, words):
        print(words)
    notify = say  # What it is called since.
    def close(self):
        pass
# An older commit calls the one who watches a display.
watches = {"display", "on_progress"} & set(inspect.signature(gannet.train).parameters)
gannet.train(sys.argv[1], out=sys.argv[2], **{watches.pop(): Killer()})
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, minus the signal that killed it; and what it said."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """The code, and the last line of what it said where it failed."""
        lines = [line for line in self.err.splitlines() if line.strip()][-1:] if self.code else []
        return " ".join([str(self.code), *lines])


class Side:
    """One of the two codes: a process that has imported it, and forks for every command.

    Args:
        source: the folder of the package.
        folder: for what it makes.
        python: the Python to run it.
    """

    def __init__(self, source: Path, folder: Path, python: str) -> None:
        self.folder, self.runs = folder, folder / "runs"
        self.runs.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {"GANNET_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
        # A folder of its own, or what lies there might be taken for data: a run called digits, for the digits.
        self.process = subprocess.Popen(
            [python, "-c", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=folder
        )

    def run(self, code: str, *words: object) -> Ended:
        """Run Python, with words as its command line."""
        assert self.process.stdin and self.process.stdout
        said = [self.folder / "out.txt", self.folder / "err.txt"]
        self.process.stdin.write(json.dumps([code, ["gannet", *map(str, words)], *map(str, said)]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"The code of {self.folder.name} did not start; its message is above.")
        return Ended(int(line), *(path.read_text(encoding="utf-8", errors="replace") for path in said))

    def gannet(self, *words: object) -> Ended:
        """Run its command line."""
        return self.run("import gannet.cli; gannet.cli.main()", *words)

    def leave(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()


def clone(commit: str, folder: Path) -> str:
    """Check a commit of this repository out into a folder, unless it is there; returns its full name."""
    git = ["git", "-C", str(HERE)]
    words = [*git, "rev-parse", "--verify", f"{commit}^{{commit}}"]
    name = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
    if not folder.exists():
        subprocess.run([*git, "clone", "--quiet", "--no-checkout", str(HERE), str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", "--detach", name], check=True)
    return name


def build_environment(folder: Path) -> str:
    """An environment with the dependencies in the versions of `constraints.txt`; returns its Python."""
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "-c", str(HERE / "constraints.txt")]
    subprocess.run([*pip, f"{HERE}[{EXTRAS}]"], check=True)
    return str(python)


def draw_pictures(folder: Path) -> None:
    """Draw pictures of three classes and ten persons, in several modes, and one to make better with its mask."""
    random = np.random.default_rng(0)
    for number in range(180):
        kind, mode = number % 3, ("RGB", "L", "RGBA", "P")[number % 4]
        path = folder / PICTURES / f"class{kind}" / f"p{number % 10}-{number:03d}.{'jpg' if mode == 'L' else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray(_waves(random, 20 + number % 5, 18, 1 + kind))
        picture.convert(mode).save(path)
    Image.fromarray(_waves(random, 60, 44, 2)).save(folder / "photograph.png")
    mask = np.zeros((60, 44), np.uint8)
    mask[10:30, 5:20] = 255
    Image.fromarray(mask).save(folder / "mask.png")


def _waves(random: np.random.Generator, height: int, width: int, pace: int) -> np.ndarray:
    """Coloured waves and a little noise, uint8 (height, width, 3)."""
    rows, columns = np.mgrid[:height, :width]
    phases = random.uniform(0, 6, 3)
    wave = 127 + 90 * np.sin((pace * rows + columns)[..., None] / 4 + phases) + random.normal(0, 9, (height, width, 3))
    return wave.clip(0, 255).astype(np.uint8)


def write_recipes(old: Side, folder: Path) -> list[str]:
    """Let the commit's code write all recipes; returns their names."""
    pictures = str(folder / PICTURES)
    real = {
        name: (recipe, {key: pictures if value == PICTURES else value for key, value in changes.items()})
        for name, (recipe, changes) in REAL.items()
    }
    (folder / "recipes").mkdir(exist_ok=True)
    told = old.run(DUMP, folder / "recipes", json.dumps(real))
    if told.code:
        raise SystemExit(f"The recipes could not be written:\n{told.err}")
    return sorted(path.stem for path in (folder / "recipes").glob("*.yaml"))


def play(side: Side, name: str, shared: Path) -> None:
    """Train a recipe, kill it, go on, use and judge the model; how each command ended is kept in `codes.json`."""
    place = side.runs / name
    (place / "made").mkdir(parents=True)
    recipe, run, codes = shared / "recipes" / f"{name}.yaml", place / "run", {}
    told = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    killed = side.run(KILLED, recipe, run, told["images"] * 5 // 8)
    if killed.code != -signal.SIGKILL:
        codes["train, to be killed"] = killed.words
    shutil.copytree(run / "state", place / "killed", dirs_exist_ok=True) if run.exists() else None
    for what, words in _commands(run, place / "made", told["task"]["name"], shared).items():
        ended = side.gannet(*words)
        codes[what] = ended.words
        if what == "judge":
            (place / "judgement.json").write_text(ended.out, encoding="utf-8")
    (place / "codes.json").write_text(json.dumps(codes), encoding="utf-8")


def _commands(run: Path, made: Path, task: str, shared: Path) -> dict[str, list[object]]:
    """The command lines after the kill, by what they are for."""
    found: dict[str, list[object]] = {"resume": ["train", "--resume", run, "--json"]}
    if task in PHOTOGRAPHS:
        given = [shared / "photograph.png", *(["--mask", shared / "mask.png"] if task == "inpainting" else [])]
        found["improve"] = ["apply", run, *given, "--out", made / "usual.png"]
        found["improve by half"] = ["apply", run, *given, "--strength", "0.5", "--out", made / "half.png"]
    elif task != "recognition":
        for out in ("sheet.png", "single"):
            found[f"draw a {out}"] = ["apply", run, "--num", 5, "--seed", 3, "--out", made / out]
    return {**found, "judge": ["judge", run, "--num", 3 if task in PHOTOGRAPHS else 120, "--json"]}


def first_difference(ours: Any, theirs: Any, path: str = "", extra: set[str] | None = None) -> str:
    """Where two trees of values differ first, empty where nowhere; keys of one side only go to `extra`, if given."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() ^ theirs.keys()):
            if extra is None:
                return f"{path}/{key} is only in {OLD if key in ours else NEW}"
            extra.add(f"{path}/{key} ({OLD if key in ours else NEW})")
        parts = [(f"{path}/{key}", ours[key], theirs[key]) for key in ours if key in theirs]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        parts = [(f"{path}/{number}", *pair) for number, pair in enumerate(zip(ours, theirs, strict=True))]
    else:
        same = ours == theirs or (ours != ours and theirs != theirs)
        return "" if same else f"{path}: {_change(ours, theirs)}"
    return next((told for name, one, other in parts if (told := first_difference(one, other, name, extra))), "")


def _change(ours: Any, theirs: Any) -> str:
    """What became of a value, in words."""
    if not (isinstance(ours, bytes) and isinstance(theirs, bytes)):
        return f"{ours!r:.80} became {theirs!r:.80}"
    differ = [place for place, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]]
    first = differ[0] if differ else min(len(ours), len(theirs))
    return f"{len(ours):,} bytes became {len(theirs):,}; {len(differ):,} differ, the first is number {first:,}"


def read_state(path: Path) -> dict[str, Any]:
    """A checkpoint as a flat tree: tensors as bytes, all else as it is, less what tells the time."""
    with safe_open(path, "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        tree = json.loads(file.metadata()["gannet"])["meta"]["tree"]
    found: dict[str, Any] = {}
    for name, value in _leaves(tree, ""):
        if name.endswith("/tensor"):
            tensor = tensors[value]
            found[name.removesuffix("/tensor")] = [str(tensor.dtype), list(tensor.shape), tensor.tobytes()]
        elif name not in TIMES:
            found[name] = value
    return found


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a checkpoint's tree: `{"dict": [[key, value], ...]}` a dictionary, `{"tensor": ...}` a tensor."""
    if isinstance(tree, dict) and "dict" in tree:
        below = [(str(key), value) for key, value in tree["dict"]]
    elif isinstance(tree, dict):
        below = list(tree.items())
    elif isinstance(tree, list):
        below = [(str(number), value) for number, value in enumerate(tree)]
    else:
        yield path, tree
        return
    for key, value in below:
        yield from _leaves(value, f"{path}/{key}".removeprefix("/"))


def read_files(folder: Path, reader: Callable[[Path], Any] = Path.read_bytes, pattern: str = "*") -> dict[str, Any]:
    """The files below a folder by their paths; locks are left out."""
    files = (path for path in sorted(folder.rglob(pattern)) if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): reader(path) for path in files}


def read_values(path: Path) -> Any:
    """A JSON or YAML file as values; None where there is none."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None


def in_todays_names(values: Any) -> Any:
    """The values of a recipe or a model by the names that its keys and choices have today."""
    if isinstance(values, dict):
        return {FORMER.get(key, key): in_todays_names(value) for key, value in values.items()}
    if isinstance(values, list):
        return [in_todays_names(value) for value in values]
    return FORMER.get(values, values) if isinstance(values, str) else values


def read_model(folder: Path) -> dict[str, Any]:
    """The files of a model; of its config the values, less the digest and what is told of inputs and options."""
    found = read_files(folder)
    if CONFIG in found:
        config = in_todays_names(json.loads(found[CONFIG]))
        found[CONFIG] = {name: value for name, value in config.items() if name not in {"digest", "interface"}}
    return found


def read_made(path: Path) -> Any:
    """A file that was made; of a photograph that was made better its pixels.

    Those used to be called made from nothing, even where they came back as they were.
    """
    if path.stem not in {"usual", "half"}:
        return path.read_bytes()
    with Image.open(path) as picture:
        return {"mode": picture.mode, "pixels": picture.tobytes()}


def read_entry(path: Path) -> Any:
    """A file of the cache; of its index the values."""
    return read_values(path) if path.name == "index.json" else path.read_bytes()


def read_log(run: Path) -> list[dict[str, Any]]:
    """The lines of the log without the clock."""
    text = (run / "log.jsonl").read_text(encoding="utf-8") if (run / "log.jsonl").is_file() else ""
    return [{name: value for name, value in json.loads(line).items() if name != "clock"} for line in text.splitlines()]


def read_judgement(path: Path) -> Any:
    """What `judge --json` said, less the times; None where it said nothing."""
    text = path.read_text(encoding="utf-8")
    told = json.loads(text)["result"] if text.strip() else None
    if told and isinstance(told["left_out"], dict):
        told["left_out"] = sorted(told["left_out"])  # Why is said in other words.
    for one in told["rivals"] if told else ():
        for name in SECONDS:
            one.pop(name, None)
    return told


READERS: dict[str, Callable[[Path], Any]] = {
    "commands": lambda place: {what: told.split()[0] for what, told in read_values(place / "codes.json").items()},
    "recipe": lambda place: in_todays_names(read_values(place / "run" / "recipe.yaml")),
    "data": lambda place: read_values(place / "run" / "data.json"),
    "killed": lambda place: read_files(place / "killed", read_state, "*.safetensors"),
    "state": lambda place: read_files(place / "run" / "state", read_state, "*.safetensors"),
    "model": lambda place: read_model(place / "run" / "model"),
    "log": lambda place: read_log(place / "run"),
    "sheets": lambda place: read_files(place / "run" / "samples"),
    "verdict": lambda place: read_values(place / "run" / "verdict.json"),
    "made": lambda place: read_files(place / "made", read_made),
    "judgement": lambda place: read_judgement(place / "judgement.json"),
    "closest": lambda place: read_files(place / "run", pattern="closest.png"),
}
"""What is compared of each recipe."""
LOOSE = ("recipe", "judgement")
"""Of these, keys may come or go."""
GROWING = ("killed", "state", "log", "verdict")
"""Of these, keys may come, as when something more is measured; none may go."""


def compare(name: str, old: Path, new: Path) -> list[str]:
    """Print a recipe's row of the table; returns where it differs, and what only one side knows."""
    cells, told = [], []
    for what, read in READERS.items():
        ours, theirs = read(old / name), read(new / name)
        extra: set[str] | None = set() if what in LOOSE + GROWING else None
        found = first_difference(ours, theirs, "", extra)
        if what in GROWING and not found:
            found = next((key for key in sorted(extra or ()) if key.endswith(f"({OLD})")), "")
        cells.append("DIFFERS" if found else "same" if ours else "-")
        told += [f"DIFFERS: {name}, {what}: {found}"] if found else []
        told += [f"only one side: {name}, {what}: {key}" for key in sorted(extra or ())]
    told += [
        f"DIFFERS: {name}: no run was made by {who}"
        for who, side in ((OLD, old), (NEW, new))
        if not (side / name / "run" / "model").is_dir()
    ]
    ends = read_values(new / name / "codes.json")
    told += [f"note: {name}, {what} ended with {words}" for what, words in ends.items() if words != "0"]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)
    return told


def play_all(side: Side, names: list[str], shared: Path) -> None:
    """Play all recipes of which nothing is there yet."""
    for name in names:
        if not (side.runs / name / "codes.json").exists():
            shutil.rmtree(side.runs / name, ignore_errors=True)
            play(side, name, shared)


def prepare_sides(asked: argparse.Namespace, folder: Path) -> tuple[Side, Side]:
    """Clone, and build the environment; what another commit, Python or script made earlier is thrown away."""
    commit = clone(asked.commit, folder / "code")
    python = asked.python or build_environment(folder / "environment")
    script = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    seen, known = f"{commit} {python} {script}\n", folder / "made-by"
    if not known.is_file() or known.read_text(encoding="utf-8") != seen:
        shutil.rmtree(folder / "old", ignore_errors=True)
        known.write_text(seen, encoding="utf-8")
    shutil.rmtree(folder / "new", ignore_errors=True)
    return (
        Side(folder / "code" / "src", folder / "old", python),
        Side(asked.here.resolve() / "src", folder / "new", python),
    )


def _entries(files: dict[str, Any]) -> set[str]:
    """The names of the cache's entries, by the paths of their files."""
    return {name.split("/")[0] for name in files}


def same(asked: argparse.Namespace, folder: Path) -> bool:
    """Play, compare, and print the table."""
    old, new = prepare_sides(asked, folder)
    if not (folder / PICTURES).exists():
        draw_pictures(folder)
    known = write_recipes(old, folder)
    if unknown := set(asked.cases) - set(known):
        raise SystemExit(f"There is no case {min(unknown)}; there are {', '.join(known)}.")
    names = asked.cases or known
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda side: play_all(side, names, folder), (old, new)))
    for side in (old, new):
        side.leave()
    print("| recipe | " + " | ".join(READERS) + " |\n" + "|---" * (1 + len(READERS)) + "|")
    told = [line for name in names for line in compare(name, old.runs, new.runs)]
    entries = [read_files(side.folder / "cache", read_entry) for side in (old, new)]
    if asked.cases:  # The commit's cache may hold more, of other cases.
        entries[0] = {name: content for name, content in entries[0].items() if name in entries[1]}
    more = sorted({name.split("/")[0] for name in entries[1].keys() - entries[0].keys()} - _entries(entries[0]))
    told += [f"only one side: cache: {entry} ({NEW})" for entry in more]
    entries[1] = {name: content for name, content in entries[1].items() if name.split("/")[0] not in more}
    extra: set[str] = set()
    found = first_difference(*entries, "", extra)
    told += [f"only one side: cache: {key}" for key in sorted(extra)]
    print(f"\ncache: {len(entries[1])} files, {'DIFFERS' if found else 'same'}")
    print("\n".join(told + ([f"DIFFERS: cache: {found}"] if found else [])))
    return not found and not any(line.startswith("DIFFERS") for line in told)


def main() -> None:
    """Compare, and end with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="of this repository")
    parser.add_argument("--python", default="", help="the Python of an environment that has the dependencies")
    parser.add_argument("--keep", type=Path, help="a folder to work in, and to use again")
    parser.add_argument("--cases", nargs="+", default=[], help="only these recipes")
    parser.add_argument("--here", type=Path, default=HERE, help="the checkout to hold against the commit")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        sys.exit(0 if same(asked, folder) else 1)


if __name__ == "__main__":
    main()
