"""A library call changes nothing of the process; the command line, whose process is its own, may."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gannet.runtime import process

# What of the process a call might change, by name; what libraries do while they are imported is theirs.
WATCH = """
import atexit, json, logging, os, random, signal, sys, warnings
from pathlib import Path
from types import SimpleNamespace
import numpy, sklearn.linear_model, torch
import gannet, gannet.api
for name in ("apply", "augment.images", "bench", "doctor", "judge", "plan", "train"):
    __import__(f"gannet.commands.{name}")
from gannet.runtime import process

called = []
system = SimpleNamespace(mallopt=lambda *given: called.append(given) or 1)
process.ctypes = SimpleNamespace(CDLL=lambda _: system)

def state():
    backends = torch.backends.cudnn
    return {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "exit handlers": atexit._ncallbacks(),
        "cudnn": (backends.deterministic, backends.benchmark, backends.enabled, backends.allow_tf32),
        "randomness": (torch.get_rng_state().tolist(), str(numpy.random.get_state()), random.getstate()),
        "environment": dict(os.environ),
        "signals": {str(number): repr(signal.getsignal(number)) for number in signal.valid_signals()},
        "warnings": list(map(repr, warnings.filters)),
        "log": [(name, log.level) for name, log in sorted(logging.root.manager.loggerDict.items())
                if isinstance(log, logging.Logger) and log.level],
        "torch": (torch.get_default_dtype(), torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(),
                  torch.get_float32_matmul_precision()),
        "allocator": list(called),
        "folder": os.getcwd(),
    }

def check(verb, call):
    before = state()
    call()
    after = state()
    changed[verb] = [name for name in before if before[name] != after[name]]

changed, out, recipe = {}, Path(sys.argv[1]), sys.argv[2]
CALLS
print(json.dumps(changed))
"""
CALLS = """
check("train", lambda: gannet.train(recipe, out=out / "run"))
check("judge", lambda: gannet.judge(out / "run", "digits"))
check("apply", lambda: gannet.apply(out / "run", out=out / "sheet.png"))
check("augment", lambda: gannet.augment("digits", out / "more"))
check("doctor", lambda: gannet.doctor("digits"))
check("plan", lambda: gannet.plan(recipe))
check("bench", lambda: gannet.bench(recipe, options=gannet.api.BenchOptions(blocks=1, seconds=0.01)))
"""


def changed(tmp_path: Path, recipe: Path, calls: str) -> dict[str, list[str]]:
    script = tmp_path / "watch.py"
    script.write_text(WATCH.replace("CALLS", calls))
    asked = [sys.executable, str(script), str(tmp_path), str(recipe)]
    ended = subprocess.run(asked, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    return dict(json.loads(ended.stdout))


def test_a_library_call_gives_the_process_back_as_it_was(tmp_path: Path, tiny_yaml: Path) -> None:
    found = changed(tmp_path, tiny_yaml, CALLS)
    assert found == {verb: [] for verb in found}
    assert len(found) == CALLS.count("check(")


def test_what_is_changed_is_found(tmp_path: Path, tiny_yaml: Path) -> None:
    calls = "check('seed', lambda: torch.manual_seed(3))\nprocess.own_process()\ncheck('own', process.keep_memory)\n"
    found = changed(tmp_path, tiny_yaml, calls)
    assert found["seed"] == ["randomness"]
    assert found["own"] == (["allocator"] if process.platform.libc_ver()[0] == "glibc" else [])


def test_the_command_line_owns_its_process() -> None:
    code = (
        "import sys; sys.argv = ['gannet', '--version']\n"
        "from gannet.cli import main\nfrom gannet.runtime import process\n"
        "assert not process._owned.is_set()\ntry: main()\nexcept SystemExit: print(process._owned.is_set())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()[-1] == "True"


def test_the_last_one_out_restores() -> None:
    restored = []
    shared = process._Shared(lambda: lambda: restored.append(True))
    with shared():
        with shared():
            pass
        assert not restored
    assert restored == [True]
    with pytest.raises(KeyError), shared():
        raise KeyError
    assert restored == [True, True]
