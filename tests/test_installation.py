"""What an installation brings is what was tested: each package has its version in `constraints.txt`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
PINNED = {canonicalize_name(name): pin for name, _, pin in (line.partition("==") for line in LINES) if pin}


def brought(words: Iterable[str]) -> set[str]:
    """The installed packages that requirements bring, and those that these bring in turn."""
    waiting, found = [Requirement(word) for word in words], set()
    seen: set[str] = set()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if str(wanted) in seen or name == PROJECT["name"]:
            continue
        seen.add(str(wanted))
        try:
            version(name)
        except PackageNotFoundError:  # Of another system, or of an extra that is not installed.
            continue
        found.add(name)
        for further in map(Requirement, requires(name) or ()):
            extras = [{"extra": extra} for extra in wanted.extras or {""}]
            if further.marker is None or any(further.marker.evaluate(extra) for extra in extras):
                waiting.append(further)
    return found


def test_every_package_that_comes_along_is_pinned() -> None:
    words = [*PROJECT["dependencies"], *(word for extra in PROJECT["optional-dependencies"].values() for word in extra)]
    found = brought(words)
    assert {"torch", "sympy", "fsspec", "xxhash", "pluggy"} <= found, "those that come in turn are found"
    assert not found - PINNED.keys()


@pytest.mark.parametrize("line", [line for line in LINES if line and not line.startswith("#")])
def test_a_constraint_pins_one_version(line: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)


def test_pins_lie_within_what_the_project_allows() -> None:
    words = [*PROJECT["dependencies"], *(word for extra in PROJECT["optional-dependencies"].values() for word in extra)]
    for wanted in map(Requirement, words):
        if pin := PINNED.get(canonicalize_name(wanted.name)):
            assert wanted.specifier.contains(pin), wanted


def test_data_sets_are_loaded_by_a_version_that_runs_no_scripts_of_theirs() -> None:
    (wanted,) = map(Requirement, PROJECT["optional-dependencies"]["hub"])
    assert not wanted.specifier.contains("3.6.0") and wanted.specifier.contains("4.0.0")


def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """What git ignores by its name is left out of a wheel without a word."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = {
        path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src" / "gannet").rglob("*") if path.is_file()
    }
    assert packed == {name for name in source if "__pycache__" not in name}
