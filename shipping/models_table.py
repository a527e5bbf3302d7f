"""Write the table of shipped models into README.md, as their cards state them.

    python shipping/models_table.py

The tests compare what it writes with what lies there, so whoever changes a card runs it.
"""

import re
from pathlib import Path

from gannet.commands.models import Model, read_model
from gannet.pipelines.hub import shipped_models

README = Path(__file__).parents[1] / "README.md"
HEAD = "| model | for | learned from | licence | MB | score | cannot |\n"
"""What the table begins with, by which it is found."""


def table() -> str:
    """The table."""
    models = [read_model(name, folder) for name, folder in shipped_models().items()]
    return HEAD + "|---" * 7 + "|\n" + "".join(map(_row, models))


def _row(model: Model) -> str:
    name, value = next(iter(model.scores.items()), ("", None))
    score = "" if value is None else f"{name} {value:.3g}"
    learned = re.split(r"[:;.] |, and |, spoiled |\.$", re.sub(r" \([^)]*\)", "", model.data))[0]
    cells = (f"`{model.name}`", model.task, learned, model.licence)
    return f"| {' | '.join((*cells, f'{model.megabytes:.1f}', score, model.limits.rstrip('.')))} |\n"


def main() -> None:
    """Put it in the place of the one that is there."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(HEAD)
    after = rest[rest.index("\n\n") + 1 :]
    README.write_text(before + table() + after, encoding="utf-8")


if __name__ == "__main__":
    main()
