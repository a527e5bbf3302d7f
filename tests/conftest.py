"""A cache of the session's own, a tiny run that many tests look at, and the command line within this process."""

from __future__ import annotations

import os
import signal
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

# A busy machine is no defect.
settings.register_profile("gannet", deadline=None)
settings.load_profile("gannet")
# Tiny networks are slower on several threads; set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


# A shell starts what it puts into the background with Ctrl-C ignored, and `nohup` what is to survive a hang-up; what is
# tested would ignore them as well.
for ignored, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    number = getattr(signal, ignored, None)  # Windows has no SIGHUP.
    if number is not None and signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, usual)


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test reads or fills the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANNET_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def tiny_yaml(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generation task's example, 512 images long, as a recipe file."""
    from gannet.recipe import dump_yaml
    from gannet.tasks.generation import example

    path = tmp_path_factory.mktemp("recipes") / "tiny.yaml"
    path.write_text(dump_yaml(example()), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def tiny_run(tiny_yaml: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of it; copy it before changing anything."""
    import gannet

    return gannet.train(tiny_yaml.as_posix(), out=tmp_path_factory.mktemp("runs") / "tiny").folder


@pytest.fixture
def gannet_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run `gannet ...` in this process."""
    from gannet.cli import main

    def command(*words: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["gannet", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        return Ended(code, *capsys.readouterr())

    return command


EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture
def examples(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder `examples` as if it were installed: on the path, with the entry points of its `pyproject.toml`."""
    from gannet.data.sources import _all_openers
    from gannet.media import medium_names

    project = tomllib.loads((EXAMPLES / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, version, groups = project["name"], project["version"], project["entry-points"]
    place = tmp_path_factory.mktemp("installed")
    info = place / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {at}\n" for key, at in points.items()) for group, points in groups.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    # As after an installation, the process has not looked for plug-ins before; afterwards it forgets these again.
    for found in (medium_names, _all_openers):
        found.cache_clear()
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.syspath_prepend(str(EXAMPLES))
    yield EXAMPLES
    monkeypatch.undo()
    for found in (medium_names, _all_openers):
        found.cache_clear()
