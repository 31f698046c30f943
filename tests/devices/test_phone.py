"""The emulated phone is taken for a phone by Google's own adb."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.devices.adb_server import AdbProgram
from tests.devices.phone import Phone, old_android


@pytest.fixture
def adb(tmp_path):
    with AdbProgram(tmp_path / "adb") as adb:
        yield adb


@pytest.fixture(params=["today", "old"])
def phone(request, tmp_path):
    with Phone(tmp_path / "phone", **(old_android() if request.param == "old" else {})) as phone:
        yield phone


def state(adb: AdbProgram, serial: str) -> str:
    return next(
        (line.split()[1] for line in adb.run("devices").stdout.decode().splitlines() if line.startswith(serial)), ""
    )


def wait_for(adb: AdbProgram, serial: str, wanted: str) -> None:
    deadline = time.monotonic() + 30
    while state(adb, serial) != wanted:
        assert time.monotonic() < deadline, state(adb, serial)
        time.sleep(0.05)


def test_it_is_listed_with_its_model(adb, phone):
    assert (
        adb.run("connect", f"{phone.host}:{phone.port}").stdout == f"connected to {phone.host}:{phone.port}\n".encode()
    )

    assert b"device product:emulated model:Emulated_Phone device:emulated" in adb.run("devices", "-l").stdout


@pytest.mark.parametrize("command", ["echo out; echo err >&2; exit 42", "kill -SEGV $$"])
def test_a_shell_gives_exit_code_and_both_streams(adb, tmp_path, command):
    with Phone(tmp_path / "phone") as phone:
        serial = adb.connect(phone.host, phone.port)
        here = subprocess.run(["sh", "-c", command], capture_output=True, check=False)

        there = adb.run("-s", serial, "shell", command)

    code = here.returncode if here.returncode >= 0 else 128 - here.returncode
    assert (there.returncode, there.stdout, there.stderr) == (code, here.stdout, here.stderr)


def test_an_old_shell_has_a_terminal_and_no_exit_code(adb, tmp_path):
    with Phone(tmp_path / "phone", **old_android()) as phone:
        serial = adb.connect(phone.host, phone.port)

        said = adb.run("-s", serial, "shell", "echo out; echo err >&2; exit 42")
        raw = adb.run("-s", serial, "exec-out", "echo out; echo err >&2; exit 42")

    assert (said.returncode, said.stdout) == (0, b"out\r\nerr\r\n")
    assert (raw.returncode, raw.stdout) == (0, b"out\nerr\n")


def test_standard_input_reaches_a_command(adb, tmp_path):
    data = os.urandom(3 << 20)
    with Phone(tmp_path / "phone") as phone:
        serial = adb.connect(phone.host, phone.port)

        assert adb.run("-s", serial, "shell", "cat", stdin=data).stdout == data


def test_files_go_and_come(adb, phone, tmp_path):
    serial = adb.connect(phone.host, phone.port)
    (tmp_path / "source").write_bytes(os.urandom(5_000_000))
    (tmp_path / "source").chmod(0o750)

    pushed = adb.run("-s", serial, "push", str(tmp_path / "source"), "/data/local/tmp/a b'c")
    pulled = adb.run("-s", serial, "pull", "/data/local/tmp/a b'c", str(tmp_path / "back"))
    listed = adb.run("-s", serial, "ls", "/data/local/tmp")

    assert (pushed.returncode, pulled.returncode) == (0, 0), pushed.stderr + pulled.stderr
    assert (tmp_path / "back").read_bytes() == (tmp_path / "source").read_bytes()
    # adbd gives everybody what the owner may do.
    assert (phone.data / "a b'c").stat().st_mode & 0o777 == 0o777
    mode, size, _, name = listed.stdout.decode().strip().split(" ", 3)
    assert (int(mode, 16), int(size, 16), name) == (0o100777, 5_000_000, "a b'c")


def test_files_that_cannot_be_are_told(adb, phone, tmp_path):
    serial = adb.connect(phone.host, phone.port)
    (tmp_path / "source").write_bytes(bytes(2 << 20))

    full = adb.run("-s", serial, "push", str(tmp_path / "source"), "/mnt/x")
    missing = adb.run("-s", serial, "pull", "/data/local/tmp/missing", str(tmp_path / "back"))
    empty = adb.run("-s", serial, "ls", "/data/local/tmp/missing")

    assert b"No space left on device" in full.stderr
    assert missing.returncode == 1
    assert b"missing" in missing.stderr
    assert empty.stdout == b""


def test_it_trusts_after_the_tap_and_remembers(adb, tmp_path):
    with Phone(tmp_path / "phone", trusts_all=False) as phone:
        serial = adb.connect(phone.host, phone.port)
        wait_for(adb, serial, "unauthorized")
        refused = adb.run("-s", serial, "shell", "true")
        deadline = time.monotonic() + 30
        while not phone.offered:
            assert time.monotonic() < deadline
            time.sleep(0.05)

        phone.accept()
        wait_for(adb, serial, "device")
        assert adb.run("-s", serial, "shell", "echo hi").stdout == b"hi\n"
        adb.run("disconnect")
        adb.connect(phone.host, phone.port)
        wait_for(adb, serial, "device")

    assert b"device unauthorized" in refused.stderr
    assert len(phone.offered) == 1


def test_it_asks_again_until_a_try_is_accepted(adb, tmp_path):
    with Phone(tmp_path / "phone", trusts_all=False, accept_on_try=2) as phone:
        serial = adb.connect(phone.host, phone.port)
        wait_for(adb, serial, "unauthorized")
        adb.run("disconnect")
        adb.connect(phone.host, phone.port)

        wait_for(adb, serial, "device")

    assert len(phone.offered) == 2


def test_it_goes_offline_and_comes_back(adb, phone):
    serial = adb.connect(phone.host, phone.port)
    phone.go_offline()
    wait_for(adb, serial, "offline")

    phone.go_online()

    wait_for(adb, serial, "device")


def test_it_tells_its_state_as_android_does(adb, phone):
    serial = adb.connect(phone.host, phone.port)
    phone.answer("dumpsys battery", "Current Battery Service state:\n  level: 7\n")

    def said(*command: str) -> str:
        text: str = adb.run("-s", serial, "exec-out", *command).stdout.decode()
        return text

    assert said("dumpsys", "battery") == "Current Battery Service state:\n  level: 7\n"
    assert "Thermal Status: 0" in said("dumpsys", "thermalservice")
    assert said("cmd", "battery", "get", "level") == "83\n"
    assert said("getprop", "ro.soc.model") == "EMU-1\n"
    assert said("getprop", "no.such") == "\n"
    assert "[ro.product.model]: [Emulated Phone]" in said("getprop")


def test_nothing_can_be_executed_on_the_card(adb, phone):
    serial = adb.connect(phone.host, phone.port)

    said = adb.run("-s", serial, "exec-out", "cp /bin/true /sdcard/x; /sdcard/x || echo no; cp /bin/true .; rm true")

    assert b"Permission denied" in said.stdout
    assert b"no\n" in said.stdout


def test_everything_on_it_ends_with_it(adb, tmp_path):
    with Phone(tmp_path / "phone") as phone:
        serial = adb.connect(phone.host, phone.port)
        token = f"{1000}.{os.getpid()}"
        adb.run("-s", serial, "shell", f"setsid sleep {token} > /dev/null 2>&1 &")
        wait_until(lambda: running(token))

    wait_until(lambda: not running(token))


def wait_until(done) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def running(token: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ends this moment
            if token.encode() in path.read_bytes():
                return True
    return False
