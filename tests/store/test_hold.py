"""One process at a time works on something, and the kernel knows whether it still does."""

from __future__ import annotations

import fcntl
import os
import threading

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import StoreError
from pocketbench.harness.store.hold import Hold, is_held

HOLD_UNTIL_KILLED = """
import sys
from pathlib import Path
from pocketbench.harness.store.hold import Hold
with Hold(Path(sys.argv[1]), "net", "the campaign net"):
    sys.stdout.write("held")
    sys.stdout.flush()
    sys.stdin.read(1)
"""


def hold(folder):
    return Hold(folder, "net", "the campaign net")


def test_what_is_held_is_held_until_the_end_of_the_block(tmp_path):
    folder = tmp_path / "locks"
    assert not is_held(folder, "net")

    with hold(folder):
        assert is_held(folder, "net")
        assert not is_held(folder, "other")

    assert not is_held(folder, "net")


def test_a_second_holder_is_refused_with_the_process_of_the_first(tmp_path, store_process):
    process = store_process(HOLD_UNTIL_KILLED, str(tmp_path))
    assert process.stdout.read(4) == b"held"

    with (
        pytest.raises(
            InputError, match=rf"expected the campaign net to be free, .* process {process.pid} is working"
        ) as e,
        hold(tmp_path),
    ):
        pass

    assert e.value.exit_code == 2
    assert is_held(tmp_path, "net")


def test_a_holder_that_is_killed_holds_no_longer(tmp_path, store_process):
    process = store_process(HOLD_UNTIL_KILLED, str(tmp_path))
    assert process.stdout.read(4) == b"held"

    process.kill()
    process.wait()

    assert not is_held(tmp_path, "net")
    with hold(tmp_path):
        assert (tmp_path / "net.lock").read_text().strip() == str(os.getpid())


def test_two_holders_in_one_process_exclude_each_other(tmp_path):
    with hold(tmp_path):
        with pytest.raises(InputError, match=f"process {os.getpid()} "), hold(tmp_path):
            pass
        assert is_held(tmp_path, "net")

    with hold(tmp_path), Hold(tmp_path, "other", "another"):
        pass


def test_a_block_that_fails_holds_no_longer(tmp_path):
    with pytest.raises(RuntimeError), hold(tmp_path):
        raise RuntimeError

    assert not is_held(tmp_path, "net")


def test_asking_does_not_keep_a_holder_out(tmp_path):
    """Whoever asks has a lock for a moment; a holder that comes then tries again."""
    with hold(tmp_path):
        pass
    with (tmp_path / "net.lock").open("rb") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        release = threading.Timer(0.02, lambda: fcntl.flock(asking, fcntl.LOCK_UN))
        release.start()
        with hold(tmp_path):
            pass
        release.join()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "locks").touch()

    with (
        pytest.raises(StoreError, match=r"expected to write the lock .*net\.lock, got File exists"),
        hold(tmp_path / "locks"),
    ):
        pass
