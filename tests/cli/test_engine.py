"""`pocketbench engine`: a build of the user's own is added, listed, measured with, and removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli.main import app
from pocketbench.harness.engines.catalogue import host_platform, local_engine
from pocketbench.harness.store.store import Store
from tests.engines.libraries import EXPORTS, aar, build_library
from tests.runner.tiny_models import dense_onnx

CommandLine = Callable[..., Result]


@pytest.fixture
def pocketbench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run in this process; errors come out as exceptions, as `main` prints them."""
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


def builds(pocketbench: CommandLine) -> dict[tuple[str, str], dict[str, object]]:
    rows = json.loads(pocketbench("engine", "list", "--json").stdout)
    return {(row["engine_id"], row["source"]): row for row in rows}


def test_a_build_of_one_s_own_is_added_measured_with_and_removed(pocketbench: CommandLine, tmp_path: Path):
    dense_onnx(tmp_path / "dense.onnx")
    own = local_engine("onnxruntime")

    added = pocketbench("engine", "add", own.library)
    engine_id = added.stdout.strip()
    measured = pocketbench("bench", "dense.onnx", "--quick", "--rounds", "1")

    assert engine_id == f"onnxruntime-{own.version}-{host_platform()}+added-{own.sha256[:12]}"
    assert added.stderr == ""
    assert measured.exit_code == 0
    assert f"is the build that was added from {own.library.name}: {engine_id}" in measured.stderr
    with Store(tmp_path / "home") as store:
        engines = store.tables(store.resolve("last"), samples=False).engines
    assert engines["engine_id"].tolist() == [engine_id]
    assert builds(pocketbench)[engine_id, "added"]["used_for"] == [host_platform()]
    assert builds(pocketbench)[own.engine_id, "installed"]["used_for"] == []

    assert pocketbench("engine", "remove", engine_id).stdout == f"removed {engine_id}\n"

    assert (engine_id, "added") not in builds(pocketbench)
    assert builds(pocketbench)[own.engine_id, "installed"]["used_for"] == [host_platform()]


def test_an_archive_is_added_for_all_its_platforms(pocketbench: CommandLine, tmp_path: Path):
    members = {}
    for abi, machine in (("arm64-v8a", "aarch64"), ("x86_64", "x86_64")):
        built = build_library(
            tmp_path / abi / "libLiteRt.so", EXPORTS["litert"], machine=machine, libc="bionic", needs=("liblog.so",)
        )
        members[f"jni/{abi}/libLiteRt.so"] = built
    aar(tmp_path / "litert-2.3.0.aar", {**members, "jni/x86/libLiteRt.so": b"of 32 bits"})

    added = pocketbench("engine", "add", "litert-2.3.0.aar", "--engine", "litert")

    assert [name.rpartition("-")[0] for name in added.stdout.split()] == [
        "litert-2.3.0-android-arm64+added",
        "litert-2.3.0-android-x86_64+added",
    ]
    assert "left out x86" in added.stderr
    with pytest.raises(InputError, match="add with --replace, or remove it first"):
        pocketbench("engine", "add", "litert-2.3.0.aar")
    again = pocketbench("engine", "add", "litert-2.3.0.aar", "--platform", "android-arm64", "--replace")
    assert again.stdout.split() == added.stdout.split()[:1]


def test_the_table_names_each_build_and_what_it_is_used_for(pocketbench: CommandLine):
    lines = pocketbench("engine", "list").stdout.splitlines()

    headings = ["engine", "version", "platform", "source", "libc", "size mb", "used for", "engine id"]
    assert lines[0].split() == " ".join(headings).split()
    (row,) = (line for line in lines if "onnxruntime-1.28.2-android-arm64-" in line)
    assert "ONNX Runtime  1.28.2   android-arm64   can be fetched  bionic      22.3     android-arm64" in row


def test_the_list_has_hash_and_size(pocketbench: CommandLine):
    own = local_engine("litert")

    row = builds(pocketbench)[own.engine_id, "installed"]

    assert (row["sha256"], row["library"], row["version"]) == (own.sha256, str(own.library), own.version)
    assert row["size_bytes"] == own.library.stat().st_size
