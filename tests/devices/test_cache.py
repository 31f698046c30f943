"""What emulated devices are made of is made once, complete or not at all, also where several want it at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.devices.cache import made_once


def test_one_makes_it_and_the_others_wait(tmp_path):
    made: list[Path] = []

    def fill(folder: Path) -> None:
        made.append(folder)
        time.sleep(0.2)  # longer than the others take to find that it is not there
        (folder / "part").write_text("whole")

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: (made_once(tmp_path / "kept", fill) / "part").read_text(), range(4)))

    assert found == ["whole"] * 4
    assert len(made) == 1


def test_what_could_not_be_made_leaves_nothing_and_is_tried_again(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise ConnectionError("no mirror")

    with pytest.raises(ConnectionError):
        made_once(tmp_path / "kept", fail)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []

    assert list(made_once(tmp_path / "kept", lambda folder: (folder / "part").touch()).iterdir()) == [
        tmp_path / "kept/part"
    ]
