"""Where a file system keeps no locks, nothing stands in for them that a killed process would leave."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest
from filelock import Timeout

from gannet.data.cache_space import entry_lock
from gannet.runtime.locks import NO_LOCKS, acquire, file_lock, locked

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows locks in another way"),
    pytest.mark.filterwarnings("error"),
]


def refuse_locks(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(code, "refused")

    monkeypatch.setattr("fcntl.flock", flock)


@pytest.mark.parametrize("code", NO_LOCKS)
def test_what_a_file_system_without_locks_answers_is_passed_on(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_locks(code, monkeypatch)
    said: list[str] = []
    for _ in range(2):  # The first has not left anything that keeps the second out.
        with locked(tmp_path / "lock", "Held", "wait.", lambda: said.append("none")):
            assert not acquire(file_lock(tmp_path / "lock"), 0)
    assert said == ["none"] * 2
    with entry_lock(tmp_path / "data") as kept, entry_lock(tmp_path / "data", patience=0) as again:
        assert (kept, again) == (False, False)


def test_another_failure_is_no_missing_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_locks(errno.EIO, monkeypatch)
    with pytest.raises(OSError, match="refused"):
        acquire(file_lock(tmp_path / "lock"), 0)


def test_a_held_entry_keeps_others_out_until_it_is_let_go(tmp_path: Path) -> None:
    with entry_lock(tmp_path / "data") as kept:
        assert kept
        with pytest.raises(Timeout), entry_lock(tmp_path / "data.building", patience=0):
            raise AssertionError
    with entry_lock(tmp_path / "data", patience=0) as kept:
        assert kept
