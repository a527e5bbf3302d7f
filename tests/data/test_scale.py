"""Many pictures: bounded memory and time, each measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MEASURE = """
import json, re, sys, time
from pathlib import Path
from gannet.data import cache, doctor, sources, survey
from gannet.media import image

def peak():  # unlike getrusage, it does not begin with the parent's
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

source = sources.open_source(sys.argv[1])
side, channels = int(sys.argv[2]), int(sys.argv[3])
look = survey.survey(source)
before, start = peak(), time.perf_counter()
fields = {"real": image.medium.field(side, side, channels)}
dataset = cache.build_dataset(source, fields)
built, middle = peak(), time.perf_counter()
report = doctor.examine(source, dataset, fields, doctor.Advice("", {}, "", ()))
print(json.dumps({"count": report.count, "exact": report.exact_duplicates.count, "build_mib": built - before,
    "examine_mib": peak() - built, "build_s": middle - start, "examine_s": time.perf_counter() - middle}))
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")


def measure(path: Path, side: int, channels: int) -> dict[str, float]:
    command = [sys.executable, "-W", "error", "-c", MEASURE, str(path), str(side), str(channels)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    print(done.stdout)
    return json.loads(done.stdout)


def write_npz(path: Path, count: int, *shape: int) -> Path:
    """Noise, of which the last tenth repeats the first."""
    images = np.random.default_rng(0).integers(0, 256, (count, *shape), np.uint8)
    images[-count // 10 :] = images[: count // 10]
    np.savez(path, images=images)
    return path


@linux
def test_fifty_thousand_pictures_never_lie_in_memory_together(tmp_path):
    measured = measure(write_npz(tmp_path / "many.npz", 50_000, 32, 32, 3), 32, 3)  # 154 MB of pixels
    assert measured["count"] == 50_000 and measured["exact"] == 5_000
    assert measured["build_mib"] < 90


@linux
@pytest.mark.soak
def test_a_million_pictures(tmp_path):
    measured = measure(write_npz(tmp_path / "many.npz", 1_000_000, 8, 8), 8, 1)
    assert measured["count"] == 1_000_000 and measured["exact"] == 100_000
    assert measured["build_mib"] < 150 and measured["examine_mib"] < 1000
    assert measured["build_s"] < 60 and measured["examine_s"] < 120
