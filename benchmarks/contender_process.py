"""A contender in a process of its own, for the benchmarks that compare them."""

import subprocess
import sys
from pathlib import Path


class ContenderProcess:
    """A process that trains, samples or draws whenever it is asked.

    Args:
        name: of a contender in contenders.py.
        options: its further command line.
        python: the Python to run it.
    """

    def __init__(self, name: str, options: list[str], python: str = sys.executable) -> None:
        self.name = name
        words = [python, str(Path(__file__).with_name("contenders.py")), name, *options]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._line()

    def train(self, seconds: float) -> float:
        """Train so long; returns images a second."""
        return float(self._ask(f"train {seconds}"))

    def sample(self, seconds: float) -> float:
        """Draw so long; returns images a second."""
        return float(self._ask(f"sample {seconds}"))

    def draw(self, count: int, path: Path) -> None:
        """Save so many pictures to an .npz file."""
        self._ask(f"draw {count} {path}")

    def leave(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _ask(self, words: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(words + "\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} did not start or broke off; its message is above.")
        return line.strip()
