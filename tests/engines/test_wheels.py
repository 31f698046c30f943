"""Pinned builds out of wheels, fetched by pip from a folder instead of an index."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.engines.pinned import PINS, Pin
from pocketbench.harness.engines.wheels import fetch_pinned, fetched

LIBRARY = b"\x7fELF a library" * 1000


@pytest.fixture
def pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """A wheel in a folder that pip looks into, and nowhere else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "some_engine-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some_engine/libengine.so", LIBRARY)
        archive.writestr("some_engine/../../outside", "not wanted")
        archive.writestr(
            "some_engine-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-engine\nVersion: 1.0\n"
        )
        archive.writestr(
            "some_engine-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("some_engine-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return replace(
        PINS[0],
        requirement="some-engine==1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="some_engine/libengine.so",
        library_sha256=hashlib.sha256(LIBRARY).hexdigest(),
    )


def test_what_was_fetched_is_there_without_a_network(pin: Pin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said: list[str] = []
    assert fetched(pin, tmp_path / "cache") is None

    build = fetch_pinned(pin, tmp_path / "cache", said.append)

    assert build.library.read_bytes() == LIBRARY
    assert (build.engine_id, build.sha256, build.platform) == (pin.engine_id, pin.library_sha256, pin.platform)
    assert len(said) == 1
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    assert fetch_pinned(pin, tmp_path / "cache", said.append) == build
    assert len(said) == 1
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [pin.engine_id]
    assert not list(tmp_path.rglob("outside"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"wheel_sha256": "0" * 64}, "expected pip to fetch", id="another wheel"),
        pytest.param({"library_sha256": "0" * 64}, "with sha256 0000", id="another library"),
        pytest.param({"member": "some_engine/libother.so"}, r"expected some_engine/libother\.so in", id="no library"),
        pytest.param({"requirement": "some-engine==2.0"}, "Check the network and pip's index", id="not in the index"),
    ],
)
def test_what_is_not_the_pinned_build_is_refused_and_leaves_nothing(
    change: dict[str, Any], words: str, pin: Pin, tmp_path: Path
):
    with pytest.raises(InputError, match=words):
        fetch_pinned(replace(pin, **change), tmp_path / "cache", lambda text: None)

    assert list((tmp_path / "cache").iterdir()) == []


def test_without_pip_the_error_says_how_to_get_it(pin: Pin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(InputError, match=r"expected pip in .* -m ensurepip"):
        fetch_pinned(pin, tmp_path / "cache", lambda text: None)
