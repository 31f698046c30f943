"""Only what the user has the right to: an emulated board over SSH and a phone over ADB, for users who are not root."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.checked.errors import DeviceError
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.preparation.device_scripts import Place, place_on
from pocketbench.harness.preparation.prepared import Preparation, prepared
from pocketbench.harness.preparation.recovery import recover
from pocketbench.harness.preparation.wanted import parse_wanted
from pocketbench.harness.transports.adb import phone_by_network
from tests.devices.board import Board
from tests.devices.phone import Phone
from tests.preparation.conftest import restored, wait_until
from tests.preparation.machine import FAN, Machine
from tests.preparation.through import Through
from tests.transports.ssh_client import client_in

NOBODY = 65534
POLICY = "devices/system/cpu/cpufreq/policy0"
WORDS = ("governor=performance", "frequency=1500MHz")
# On the device only: in memory of its own that nobody else sees. Written to /run/denied, it asks for a password.
ELEVATE = f"""\
cp /usr/bin/setpriv /usr/local/bin/elevate && chmod 4755 /usr/local/bin/elevate
mkdir -p /var/tmp/ours && chown {NOBODY}:{NOBODY} /var/tmp/ours
"""
SUDO = """\
#!/bin/sh
[ "$1 $2" = "-n --" ] && [ ! -e /run/denied ] || { echo 'sudo: a password is required' >&2; exit 1; }
shift 2
exec /usr/local/bin/elevate --reuid 0 --regid 0 --clear-groups -- "$@"
"""
MAGISK = """\
#!/bin/sh
[ "$1" = -c ] && [ $# -eq 2 ] || exit 1
exec /usr/local/bin/elevate --reuid 0 --regid 0 --clear-groups -- sh -c "$2"
"""
USERDEBUG = """\
#!/bin/sh
[ "$1" = 0 ] || { echo "su: invalid uid/gid '$1'" >&2; exit 1; }
shift
exec /usr/local/bin/elevate --reuid 0 --regid 0 --clear-groups -- "$@"
"""


class AsUser(Through):
    """What reaches the device as root, as nobody."""

    def run(self, argv, *, timeout_s, stdin=b""):
        identity = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--")
        return super().run((*identity, *argv), timeout_s=timeout_s, stdin=stdin)


def install(transport, path, text):
    run = transport.run(("sh", "-c", 'cat >"$1" && chmod 755 "$1"', "sh", path), timeout_s=60, stdin=text.encode())
    assert run.exit_code == 0, run.stderr


@pytest.fixture
def board(tmp_path):
    with Board(tmp_path / "board") as board:
        (board.sys / POLICY / "scaling_available_frequencies").write_text("600000 1500000 1800000\n")
        for path in board.sys.rglob("scaling_*"):
            path.chmod(0o644)
        yield board


@pytest.fixture
def ssh(board, tmp_path, monkeypatch):
    with client_in(tmp_path / "user", monkeypatch).reach(board) as transport:
        assert transport.run(("sh", "-c", ELEVATE), timeout_s=60).exit_code == 0
        yield transport


def read(board, name):
    return (board.sys / POLICY / name).read_text().strip()


def state(board):
    return [read(board, f"scaling_{name}") for name in ("governor", "min_freq", "max_freq")]


BEFORE = ["ondemand", "600000", "1800000"]
AFTER = ["performance", "1500000", "1500000"]
OURS = place_on(Device("pi", "ssh://pi", "raspberry-pi-4b", PurePosixPath("/var/tmp/ours")))


def test_root(board, ssh, holder):
    with prepared(ssh, OURS, parse_wanted(WORDS), platform="linux", holder=holder) as preparation:
        assert state(board) == AFTER
        assert preparation.record.rights == "root"

    assert state(board) == BEFORE


def test_sudo_that_asks_for_no_password(board, ssh, holder):
    install(ssh, "/usr/local/bin/sudo", SUDO)
    user = AsUser(ssh)

    with prepared(user, OURS, parse_wanted(WORDS), platform="linux", holder=holder) as preparation:
        assert state(board) == AFTER
        assert preparation.record.rights == "sudo"
        assert preparation.renew() == ()

    assert state(board) == BEFORE
    assert preparation.record.problem is None


def test_no_right_nothing_set_and_what_to_do(board, ssh, holder):
    with prepared(AsUser(ssh), OURS, parse_wanted(WORDS), platform="linux", holder=holder) as preparation:
        assert state(board) == BEFORE

    assert {(row.status, row.reason) for row in preparation.record.settings} == {
        ("refused", "this user may not write to it")
    }
    assert "NOPASSWD" in str(preparation.record.settings[0].remedy)
    assert preparation.record.rights == "user"


def test_what_is_so_already_needs_no_right(board, ssh, holder):
    (board.sys / POLICY / "scaling_governor").write_text("performance\n")

    with prepared(AsUser(ssh), OURS, parse_wanted(WORDS[:1]), platform="linux", holder=holder) as preparation:
        pass

    assert [row.status for row in preparation.record.settings] == ["already"]


def test_files_that_a_rule_has_opened_need_no_root(board, ssh, holder):
    for name in ("min_freq", "max_freq"):
        (board.sys / POLICY / f"scaling_{name}").chmod(0o666)

    with prepared(AsUser(ssh), OURS, parse_wanted(WORDS), platform="linux", holder=holder) as preparation:
        assert state(board) == ["ondemand", "1500000", "1500000"]
        assert preparation.record.rights == "user"

    assert state(board) == BEFORE
    assert [row.status for row in preparation.record.settings] == ["refused", "set", "set"]


def test_a_right_that_is_taken_away_meanwhile(board, ssh, holder, caplog):
    """The guardian still has it: it is told to put everything back now."""
    install(ssh, "/usr/local/bin/sudo", SUDO)
    wanted = parse_wanted(WORDS)
    preparation = Preparation(AsUser(ssh), OURS, wanted, platform="linux", holder=holder, lease_s=3600, poll_s=1)
    preparation.prepare()
    install(ssh, "/run/denied", "")

    preparation.restore()

    assert "sudo: a password is required" in str(preparation.record.problem)
    wait_until(lambda: state(board) == BEFORE, "the guardian has put everything back")


def test_a_cable_that_stays_pulled(board, ssh, holder, tmp_path):
    """The board's own clock, and the guardian alone."""
    preparation = Preparation(ssh, OURS, parse_wanted(WORDS), platform="linux", holder=holder, lease_s=2, poll_s=1)
    preparation.prepare()
    assert state(board) == AFTER

    board.cut_link()

    wait_until(lambda: state(board) == BEFORE, "the guardian has put everything back")
    board.restore_link()
    preparation.restore()
    assert restored(preparation).by == "guardian"
    assert preparation.record.problem is None


def test_a_full_disk_changes_nothing(board, ssh, holder):
    ssh.run(("sh", "-c", "mkdir /mnt/ours; cat /dev/zero >/mnt/full"), timeout_s=60)
    place = Place(PurePosixPath("/mnt/ours"), OURS.sys, OURS.proc)

    preparation = Preparation(ssh, place, parse_wanted(WORDS), platform="linux", holder=holder)
    with pytest.raises(DeviceError, match="No space left on device"):
        preparation.prepare()
    preparation.restore()

    assert state(board) == BEFORE
    ssh.run(("rm", "/mnt/full"), timeout_s=60)
    assert recover(ssh, place, platform="linux", holder=holder) is None


class TestPhone:
    @pytest.fixture
    def phone(self, tmp_path):
        with Phone(tmp_path / "phone") as phone:
            machine = Machine(phone.data / "machine")
            for path in (phone.data / "machine").rglob("*"):
                path.chmod(0o755 if path.is_dir() else 0o644)
            yield phone, machine

    @pytest.fixture
    def adb(self, phone, tmp_path, monkeypatch):
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", "1")  # no adb server
        inner, folder = phone[0], tmp_path / "android"
        with phone_by_network("phone", inner.host, inner.port, say=print, android_directory=folder) as transport:
            assert transport.run(("sh", "-c", ELEVATE), timeout_s=60).exit_code == 0
            yield transport

    @pytest.fixture
    def place(self):
        there = PurePosixPath("/data/local/tmp/machine")
        return Place(PurePosixPath("/var/tmp/ours"), there / "sys", PurePosixPath("/proc"))

    @pytest.mark.parametrize("su", [MAGISK, USERDEBUG], ids=["magisk", "userdebug"])
    def test_rooted(self, phone, adb, place, holder, su):
        machine = phone[1]
        before = machine.all()
        install(adb, "/system/bin/su", su)

        with prepared(
            AsUser(adb), place, parse_wanted(("fan=full",)), platform="android", holder=holder
        ) as preparation:
            assert machine.read(FAN) == "255"
            assert preparation.record.rights == "su"

        assert machine.all() == before

    def test_not_rooted(self, phone, adb, place, holder):
        machine = phone[1]
        before = machine.all()

        with prepared(AsUser(adb), place, parse_wanted(WORDS), platform="android", holder=holder) as preparation:
            assert machine.all() == before

        rows = preparation.record.settings
        assert {row.remedy for row in rows if row.status == "refused"} == {
            "only a rooted phone can change it: leave it as it is, every result carries it"
        }


def test_preparing_is_not_imported_when_the_command_line_starts():
    done = subprocess.run(
        [sys.executable, "-c", "import sys, pocketbench.harness.cli.main; print('preparation' in str(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )

    assert done.stdout == "False\n"
