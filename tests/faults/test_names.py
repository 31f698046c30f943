"""Names that a shell, a path or a page could take for something else do nothing but name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest
import yaml

from pocketbench.checked.errors import InputError
from pocketbench.harness.campaign.plan import Plan
from pocketbench.harness.campaign.tables import campaign_tables
from pocketbench.harness.cli.finish import write_campaign_report
from pocketbench.harness.devices.registry import Registry
from pocketbench.harness.store.store import Store
from pocketbench.harness.transports.base import Completed, Transport
from pocketbench.harness.transports.remote_shell import RemoteCommand
from tests.faults.conftest import Campaign
from tests.faults.consistency import check_store
from tests.faults.faulty import Faulty

COMMANDS = 'it\'s "a" $(touch pwned) `touch pwned`; touch pwned & touch pwned | tee pwned > pwned \\'
STRANGE = f"{COMMANDS}\n<img src=x onerror=alert(1)> %s ünï -rf *.tflite"


class ThroughShell(Faulty):
    """Each command line is a text for a shell in between, as over SSH and ADB."""

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: bytes | BinaryIO = b"") -> Completed:
        command = RemoteCommand(tuple(argv))
        completed = super().run(("sh", "-c", command.text), timeout_s=timeout_s, stdin=stdin)
        return dataclasses.replace(
            completed,
            argv=tuple(argv),
            stdout=command.output(completed.stdout),
            stderr=command.errors(completed.stderr),
        )


@pytest.fixture
def directory(tmp_path: Path) -> PurePosixPath:
    """As strange as a directory on a device may be."""
    return PurePosixPath(tmp_path / COMMANDS.replace("\\", ""))


def test_a_model_and_a_directory_of_strange_names(
    model: Callable[[int], Path],
    plan: Callable[..., Plan],
    board: Callable[[Transport], None],
    run: Campaign,
    store: Store,
    home: Path,
    directory: PurePosixPath,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    file = model(0).rename(tmp_path / STRANGE)
    board(ThroughShell())

    campaign_id = run(plan(variants=[file]))

    check_store(home)
    tables = campaign_tables(store, campaign_id)
    assert list(tables.variants["name"]) == [STRANGE]
    assert list(tables.jobs["status"]) == ["ok"]
    (placed,) = (Path(directory) / "deployments").iterdir()
    assert placed.name.startswith("it-s-a-touch-pwned-")
    assert write_campaign_report(store, campaign_id, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "<img src=x" not in page
    assert "img src=x onerror" in page  # as text
    assert list(tmp_path.rglob("pwned")) == []


@pytest.mark.parametrize("name", ["it's", "$(touch pwned)", "new\nline", "\x1b[31m"])
def test_a_strange_name_that_was_written_by_hand_is_refused(name: str, home: Path):
    entry = {"name": name, "address": "ssh://board", "profile": "generic-linux", "directory": "/x"}
    (home / "devices.yaml").write_text(yaml.safe_dump({"version": 1, "devices": [entry]}))

    with pytest.raises(InputError, match="expected a device name of at most 63 letters") as error:
        Registry(home / "devices.yaml").list()

    assert str(error.value).isprintable()
