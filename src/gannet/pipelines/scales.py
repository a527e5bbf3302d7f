"""Which models enlarge how many times, for whoever asks one for another scale: each learned one alone."""

from collections import defaultdict

from gannet.pipelines.hub import read_config, shipped_models

SCALES = ("scale", "upscale", "outscale", "upscale_factor")
"""What asks for a scale, here or in other programs."""
TASK = "super-resolution"


def names_by_scale() -> dict[int, list[str]]:
    """Give the names of the models that come with Gannet and enlarge, without their versions, by how many times."""
    found: dict[int, list[str]] = defaultdict(list)
    for name, folder in shipped_models().items():
        config = read_config(folder)
        if config["task"] == TASK and (scale := config["config"]["task"]["scale"]) > 1:
            found[scale].append(name.rpartition("-v")[0])
    return {scale: sorted(set(names), key=len) for scale, names in sorted(found.items())}


def advice() -> str:
    """Say which model to name in place of a scale, to stand behind a semicolon."""
    known = ", ".join(f"{names[0]} {scale} times" for scale, names in names_by_scale().items())
    return f"each model enlarges as it learned to ({known}), so name another, or bring results to any --width."
