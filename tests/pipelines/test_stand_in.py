"""A stand-in is there only where the library is not, and only as long as it is wanted."""

import sys
from importlib import import_module
from pathlib import Path

import pytest

from gannet.pipelines.stand_in import ASKED_FOR, LIBRARY, standing_in


@pytest.fixture
def absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has not imported the library, wherever it may lie."""
    for name in [name for name in sys.modules if name.partition(".")[0] == LIBRARY]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("absent")
def test_names_are_there_while_they_are_wanted_and_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gannet.pipelines.stand_in.find_spec", lambda _: None)
    with standing_in():
        functional = import_module(ASKED_FOR[-1])
        rotate, mode = functional.rotate, functional.InterpolationMode
    assert not [name for name in sys.modules if name.startswith(LIBRARY)]
    for use in (lambda: rotate(1), lambda: mode.BILINEAR):
        with pytest.raises(ImportError, match=f"run: pip install {LIBRARY}"):
            use()
    with pytest.raises(ValueError), standing_in():
        raise ValueError("an import that fails")
    assert not [name for name in sys.modules if name.startswith(LIBRARY)]


@pytest.mark.usefixtures("absent")
def test_the_library_itself_is_never_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / LIBRARY).mkdir()
    (tmp_path / LIBRARY / "__init__.py").write_text("real = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    with standing_in():
        assert import_module(LIBRARY).real
    assert sys.modules[LIBRARY].real
    with standing_in():
        assert sys.modules[LIBRARY].real
    monkeypatch.delitem(sys.modules, LIBRARY)
