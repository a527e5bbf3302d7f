"""Trainings, each in a process of its own, which goes on when the page or the studio is closed."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gannet import api
from gannet.runtime.wording import sentence
from gannet.studio import bounds
from gannet.studio.said import Said
from gannet.studio.settings import Settings

MOST_AT_ONCE = 2
"""Trainings that a studio starts beside each other."""
PATIENCE = 30.0
"""Seconds that a process may take to end once its run is saved."""
TAIL = 4000
"""Bytes of what a process said that are looked at for why it ended."""


@dataclass
class Jobs:
    """The processes that this studio started, by the name of the run; any other is found by its run's lock."""

    settings: Settings
    started: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, recipe: str, data: str, changes: Mapping[str, object], name: str = "") -> tuple[str, Said]:
        """Start training a recipe.

        Args:
            data: a path that was looked at; empty: the recipe's own.
            name: of the run; empty: one is chosen.

        Returns:
            the run's name, and how it is said elsewhere.

        Raises:
            ValueError: a name is taken or none, or too much is trained already.
        """
        recipe, changes = bounds.recipe_named(recipe), _checked(changes)
        out = bounds.new_run(name, recipe, self.settings)
        self._check_room(out.name)
        words = [recipe, *([data] if data else [])]
        said = Said("train", words, {"out": str(out)}, changes)
        self._run(out.name, ["train", *words, "--out", str(out), *_set(changes)])
        return out.name, said

    def resume(self, name: str, changes: Mapping[str, object]) -> Said:
        """Continue a run; `changes` may say how much longer.

        Raises:
            ValueError: there is no such run, it is being trained, or a change is not allowed.
        """
        run, changes = bounds.run_named(name, self.settings), _checked(changes)
        api.keys(str(run / "recipe.yaml"), changes)  # What is wrong with them is said now, not by the process.
        if api.view_run(run).process:
            raise ValueError(f"{run.name} is being trained already.")
        self._see_off(run.name)
        self._check_room(run.name)
        self._run(run.name, ["train", "--resume", str(run), *_set(changes)])
        return Said("train", [], {"resume": str(run)}, changes)

    def stop(self, name: str) -> None:
        """Ask whoever trains a run to save it and leave.

        Raises:
            ValueError: there is no such run, or nobody trains it.
        """
        process = self.started.get(name)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)
            return
        number = api.view_run(bounds.run_named(name, self.settings)).process
        if not number:
            raise ValueError(f"{name} is not being trained on this machine.")
        os.kill(number, signal.SIGTERM)

    def running(self, name: str) -> bool:
        """Tell whether this studio's process for a run still runs."""
        process = self.started.get(name)
        return process is not None and process.poll() is None

    def trouble(self, name: str) -> str:
        """Give the sentence in which this studio's process for a run ended, where it did not end well."""
        process = self.started.get(name)
        if process is None or process.poll() in (None, 0, 128 + signal.SIGTERM, -signal.SIGTERM):
            return ""
        if process.returncode < 0:
            return f"It was ended from outside by {signal.Signals(-process.returncode).name}; perhaps memory was short."
        said = self._log(name).read_bytes()[-TAIL:].decode("utf-8", "replace").strip()
        return sentence(said.splitlines()[-1].removeprefix("gannet: ")) if said else "It ended without a word."

    def waiting(self) -> list[str]:
        """Name the runs that were started and have no folder yet."""
        return [name for name in list(self.started) if not (self.settings.runs / name).exists()]

    def _see_off(self, name: str) -> None:
        """Wait for a process that has let go of its run to end."""
        with suppress(subprocess.TimeoutExpired, KeyError):
            self.started[name].wait(PATIENCE)

    def _check_room(self, name: str) -> None:
        busy = [one for one in list(self.started) if self.running(one)]
        if name in busy:
            raise ValueError(f"{name} is being trained already.")
        if len(busy) >= MOST_AT_ONCE:
            raise ValueError(f"{' and '.join(busy)} are being trained; stop one of them, or wait for it.")

    def _run(self, name: str, words: list[str]) -> None:
        self.settings.runs.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("wb") as log:
            self.started[name] = subprocess.Popen(
                [sys.executable, "-m", "gannet", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self.settings.work / f"{name}.log"


OWN_KEYS = ("data.source", "data.sources", "start_from")
"""Keys that name files or hubs, and have fields of their own on the page, or none."""


def _checked(changes: Mapping[str, object]) -> dict[str, object]:
    """Changes to a recipe that the page may make."""
    found = bounds.plain_options(changes)
    for name in found:
        if name in OWN_KEYS or not all(part.isidentifier() or part.isdecimal() for part in name.split(".")):
            raise ValueError(f"{name!r} is no key that the page may change; choose data in their field.")
    return found


def _set(changes: Mapping[str, object]) -> list[str]:
    """The changes as the command line takes them: every value as JSON, which is YAML."""
    import json

    return [word for name, value in changes.items() for word in ("--set", f"{name}={json.dumps(value)}")]
