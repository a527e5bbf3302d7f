"""Kill a command before each of its durable calls, and go on with it: a process of its own, which forks for each.

    python durable.py WORK POINTS

WORK holds `case.json`: `run`, the words of the command; `again`, those that go on with it once its `result` exists.
Each point is a folder of its own, `WORK/<k>`, a copy of `WORK/start`; `WORK/whole` is what nobody disturbs. Prints the
number of durable calls, then for each of so many points (0: all of them) how the killed process ended, whether there
was a result, and how the next one ended.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

DURABLE = ("fsync", "sync", "rename", "replace", "unlink", "remove", "rmdir", "mkdir", "truncate", "ftruncate")


def count_calls(at: int) -> Callable[[], int]:
    """Have this process killed, without a chance to clean up, before its call of that number; give the count so far."""
    done = [0]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*args: Any, **options: Any) -> Any:
            done[0] += 1
            if done[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **options)

        return counting

    for name in DURABLE:
        # `shutil.rmtree` asks whether these are the system's own before it dares to use handles.
        wrapped = counted(getattr(os, name))
        for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
            if getattr(os, name) in known:
                known.add(wrapped)
        setattr(os, name, wrapped)
    return lambda: done[0]


def forked(folder: Path, words: list[str], at: int = 0) -> tuple[int, int]:
    """Run a command in a folder; give how it ended (minus a signal's number) and its durable calls."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.chdir(folder)
        os.environ["GANNET_CACHE"] = str(folder / "cache")
        os.close(reading)
        quiet = os.open("out", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # Or workers would make the calls.
        counted, code = count_calls(at), 0
        sys.argv = ["gannet", *words]
        try:
            from gannet.cli import main

            main()
        except SystemExit as left:
            code = int(left.code or 0)
        os.write(writing, str(counted()).encode())
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        calls = int(told.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), calls


def main() -> None:
    work, points = Path(sys.argv[1]), int(sys.argv[2])
    case = json.loads((work / "case.json").read_text())
    import gannet.commands.apply
    import gannet.commands.augment.images
    import gannet.commands.train  # noqa: F401  Once, for all of them.

    shutil.copytree(work / "start", work / "whole")
    code, calls = forked(work / "whole", case["run"])
    assert code == case.get("code", 0), (work / "whole" / "out").read_text()
    print(json.dumps({"calls": calls}), flush=True)
    wanted = [calls * (point + 1) // (points + 1) for point in range(points)] if points else range(1, calls + 1)
    for at in wanted:
        folder = work / str(at)
        shutil.copytree(work / "start", folder)
        killed, _ = forked(folder, case["run"], at)
        there = (folder / case["result"]).exists()
        code, _ = forked(folder, case["again"] if there else case["run"])
        print(json.dumps({"at": at, "killed": killed, "there": there, "code": code}), flush=True)


if __name__ == "__main__":
    main()
