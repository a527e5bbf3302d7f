"""The import rules and the house rules, where a machine can keep them."""

import ast
import io
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import gannet

SOURCE = Path(gannet.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
# What each room may import besides itself, `runtime`, `schema` and the version; rooms that are FREE may use everything.
EVERYWHERE = {"", "runtime", "schema"}
FREE = {"api", "commands"}
MAY_IMPORT = {
    "cli": {"api", "studio"},
    "studio": {"api"},
    "tasks": {"adversarial", "augmentation", "data", "media", "metrics", "monitoring", "networks", "pipelines"}
    | {"provenance", "recipe", "schedule", "task"},
    "runs": {"media", "monitoring", "pipelines", "provenance", "recipe", "schedule"},
    "pipelines": {"media", "provenance", "recipe", "task"},
    "training": {"adversarial.game", "data.loader", "recipe", "schedule"},
    "monitoring": {"adversarial", "augmentation", "metrics"},
    "adversarial": {"augmentation"},
    "metrics": {"augmentation"},
    "networks": set(),
    "augmentation": set(),
    "data": {"augmentation", "media", "recipe"},
    "media": {"augmentation", "provenance"},
    "provenance": set(),
    "task": {"recipe"},
    "schedule": {"recipe"},
    "recipe": set(),
    "schema": set(),
    "runtime": set(),
}


def room(path: Path) -> str:
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports at run time, without the leading `gannet`."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    names = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.removeprefix("gannet").removeprefix(".") for name in names if name.split(".")[0] == "gannet"}


def allowed(home: str, name: str) -> bool:
    rules = MAY_IMPORT[home] | EVERYWHERE - ({"runtime"} if home == "schema" else set())
    return name.split(".")[0] == home or any(name == rule or (rule and name.startswith(f"{rule}.")) for rule in rules)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_file_imports_only_what_its_room_may(path: Path) -> None:
    home = room(path)
    if home in FREE | {"__init__", "__main__"}:
        return
    wrong = {name for name in imported(path) if not allowed(home, name)}
    assert not wrong, f"{home} may not import {sorted(wrong)}"


def test_the_import_rule_finds_a_planted_breakage(tmp_path: Path) -> None:
    path = tmp_path / "planted.py"
    path.write_text("from gannet.tasks import generation\nimport gannet.monitoring.referee\n")
    assert imported(path) == {"tasks", "monitoring.referee"}
    assert not any(allowed("training", name) for name in imported(path))
    assert allowed("training", "adversarial.game") and allowed("tasks", "monitoring.referee")


def test_few_modules_lie_at_the_top() -> None:
    assert len(list(SOURCE.glob("*.py"))) <= 9


def circles(imports: dict[str, set[str]]) -> set[str]:
    """What is left when all that imports nothing of what is left has been taken away."""
    left = {name: set(names) & imports.keys() for name, names in imports.items()}
    while free := {name for name, names in left.items() if not names & left.keys()}:
        left = {name: names for name, names in left.items() if name not in free}
    return set(left)


def rooms_imported() -> dict[str, set[str]]:
    """The rooms that each room imports at run time; the package itself holds but its version and public names."""
    found: dict[str, set[str]] = {}
    for path in FILES:
        if room(path) not in {"__init__", "__main__"}:
            names = {name.split(".")[0] for name in imported(path)} - {"", room(path)}
            found.setdefault(room(path), set()).update(names)
    return found


def test_rooms_import_each_other_in_no_circle() -> None:
    assert not circles(rooms_imported())
    assert circles({**rooms_imported(), "runtime": {"data"}}), "a planted circle is found"


def functions() -> list[tuple[str, ast.FunctionDef]]:
    trees = [(path, ast.parse(path.read_text())) for path in FILES]
    return [
        (f"{path.name}:{node.name}", node)
        for path, tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]


def test_functions_and_files_are_short() -> None:
    lengths = {name: node.end_lineno - node.lineno + 1 for name, node in functions()}
    assert max(lengths.values()) <= 60, max(lengths, key=lengths.get)
    assert statistics.median(lengths.values()) <= 12
    long_files = [path.name for path in FILES if len(path.read_text().splitlines()) > 400]
    assert not long_files


def _parameters(node: ast.FunctionDef) -> int:
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in {"self", "cls"}])


def test_functions_take_at_most_seven_parameters() -> None:
    # The public `train` takes six, and by keyword only the two that every long verb takes: bundled, they would be less
    # plain than they are.
    wide = {name: _parameters(node) for name, node in functions()}
    assert wide.pop("api.py:train") == 8
    del wide["cli.py:apply"]  # Its flags are those of two kinds of models; they become each model's own.
    command_line = [wide.pop(name) for name in list(wide) if name.startswith("cli.py")]
    assert max(command_line) <= 8
    assert max(wide.values()) <= 7, max(wide, key=wide.get)


def test_nothing_is_called_after_what_it_is_not() -> None:
    assert not [path for path in FILES if path.stem in {"utils", "helpers", "common"} or path.stem.startswith("base_")]


def test_unwanted_modules_are_not_imported() -> None:
    unwanted = {"torchvision", "torchaudio", "pickle", "dill", "timm"}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & unwanted, path


def test_public_functions_say_what_they_do() -> None:
    silent = [
        f"{path.name}:{node.name}"
        for path in FILES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert not silent


NOT_ORDERS = {"A", "An", "The", "What", "Where", "Whether", "Which", "How"}
"""Words at which a docstring names a thing, or asks, in place of saying what is done."""


def _public(body: list[ast.stmt]) -> list[ast.FunctionDef]:
    """Public functions and methods; properties name what they are."""
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += _public(node.body)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            found += [node] * all("property" not in ast.unparse(one) for one in node.decorator_list)
    return found


def public_functions() -> list[tuple[str, ast.FunctionDef]]:
    return [
        (path.relative_to(SOURCE).as_posix(), node)
        for path in FILES
        for node in _public(ast.parse(path.read_text()).body)
    ]


def _orders(node: ast.FunctionDef) -> bool:
    """Whether its docstring begins with what it does: no article, no question, no third person (`Adds`)."""
    first = (ast.get_docstring(node) or "The").split()[0].strip(".,:;")
    return first not in NOT_ORDERS and not re.fullmatch("[A-Z][a-z]*[^s]s", first)


def test_docstrings_of_functions_are_there_and_in_the_imperative() -> None:
    found = public_functions()
    silent = [f"{path}:{node.name}" for path, node in found if not ast.get_docstring(node)]
    assert len(silent) <= 0.02 * len(found), silent
    naming = [f"{path}:{node.name}" for path, node in found if ast.get_docstring(node) and not _orders(node)]
    assert not naming


@pytest.mark.parametrize(("words", "right"), [("Give it.", True), ("The thing.", False), ("Adds it.", False)])
def test_the_rule_on_docstrings_finds_a_planted_breakage(words: str, right: bool) -> None:
    (node,) = _public(ast.parse(f'def function() -> None:\n    """{words}"""').body)
    assert _orders(node) == right


def test_public_functions_are_annotated() -> None:
    bare = []
    for path, node in public_functions():
        given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
        wanted = [one for one in given if one is not None and one.arg not in {"self", "cls"}]
        if node.returns is None or any(one.annotation is None for one in wanted):
            bare.append(f"{path}:{node.name}")
    assert not bare


SEAMS = (
    "adversarial/game.py",
    "adversarial/two_player.py",
    "api.py",
    "data/records.py",
    "media/medium.py",
    "pipelines/pipeline.py",
    "pipelines/samples.py",
    "recipe/sections.py",
    "task.py",
    "training/callbacks.py",
)
"""What passes between rooms is declared here: no public function, method or field says `Any`."""


def loose(body: list[ast.stmt]) -> list[str]:
    """The public functions, methods and fields that say `Any`; an array of any type is none."""
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            found += [f"{node.name}.{name}" for name in loose(node.body)]
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg)
            told = [node.returns, *(one.annotation for one in given if one)]
            found += [node.name] * any("Any" in _words(one) for one in told)
        if isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
            found += [ast.unparse(node.target)] * ("Any" in _words(node.annotation))
    return found


def _words(annotation: ast.expr | None) -> list[str]:
    return re.findall(r"\w+", ast.unparse(annotation)) if annotation else []


@pytest.mark.parametrize("seam", SEAMS)
def test_what_passes_between_rooms_has_a_type(seam: str) -> None:
    assert not loose(ast.parse((SOURCE / seam).read_text()).body)


def test_options_and_configs_have_types() -> None:
    """Whatever a schema may hold is checked: no field of a task's, a pipeline's or a verb's options is of any type."""
    rooms = [SOURCE / "commands", SOURCE / "metrics", SOURCE / "tasks"]
    nodes = [node for path in FILES if set(rooms) & set(path.parents) for node in ast.parse(path.read_text()).body]
    schemas = [node for node in nodes if isinstance(node, ast.ClassDef) and re.search("Section|Options", _bases(node))]
    fields = [one for node in schemas for one in node.body if isinstance(one, ast.AnnAssign)]
    assert len(fields) > 40 and not [ast.unparse(one) for one in fields if "Any" in _words(one.annotation)]


def _bases(node: ast.ClassDef) -> str:
    return " ".join(map(ast.unparse, node.bases))


def test_the_rule_on_types_finds_a_planted_breakage() -> None:
    code = "class Seam:\n    field: dict[str, Any]\n    def right(self, one: Anything) -> int: ...\n"
    code += "    def _own(self) -> Any: ...\n    def wrong(self, *many: Any) -> int: ...\ndef bare() -> Any: ..."
    assert loose(ast.parse(code).body) == ["Seam.field", "Seam.wrong", "bare"]


JUDGING = ("scipy.stats", "sklearn", "pandas", "lightning_fabric")
"""What judges and trains, and takes as long to load as PyTorch."""
WAITED_FOR = ("torch", "numpy", "PIL", "scipy", "huggingface_hub", "pydantic", *JUDGING)
"""What takes its time to import, the last the least: it checks what a model's `config.json` holds."""


def loaded_by(*words: str) -> set[str]:
    """Which of them a command imports, in a process of its own; without words, importing Gannet does."""
    code = (
        "import json, sys, gannet, gannet.cli\n"
        "try: len(sys.argv) > 1 and gannet.cli.main()\n"
        "except SystemExit as leaving: assert not leaving.code\n"
        f"print(json.dumps([name for name in {WAITED_FOR} if name in sys.modules]), file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True, text=True)
    return set(json.loads(ended.stderr.splitlines()[-1]))  # Before it may stand how far a slow machine was.


def test_help_waits_for_nothing_slow() -> None:
    assert loaded_by() == loaded_by("--help") == set()
    assert loaded_by("apply", "fashion-mnist", "--help") <= {"pydantic"}
    assert loaded_by("apply", "super-resolution", "--help") <= {"pydantic"}
    assert "numpy" in loaded_by("doctor", "digits"), "a planted one is found"


def test_applying_a_model_waits_for_nothing_that_judges(tmp_path: Path) -> None:
    (tmp_path / "small.png").write_bytes(grey_picture())
    drawn = loaded_by("apply", "fashion-mnist", "--out", str(tmp_path / "drawn.png"))
    large = loaded_by("apply", "super-resolution", str(tmp_path / "small.png"), "--out", str(tmp_path / "large.png"))
    assert "torch" in drawn & large and not (drawn | large) & set(JUDGING)


def grey_picture() -> bytes:
    """A grey PNG of 8x8 pixels."""
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), "grey").save(buffer, "PNG")
    return buffer.getvalue()
