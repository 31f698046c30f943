"""Room in our directory, and whether programs run there; the scripts run for real, in each shell."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from pocketbench.device_profiles.loader import load_profile
from pocketbench.harness.checkup.sensors import READ_COMMAND, READ_SENSOR
from pocketbench.harness.checkup.storage import PROGRAM_RUNS, executable_directory, storage
from pocketbench.harness.checkup.visit import READ_FILES, Visit, file_texts
from pocketbench.harness.devices.registry import Device
from pocketbench.harness.transports.local import LocalTransport
from tests.checkup.boards import pi_commands, pi_files, scripts
from tests.checkup.fake_device import FakeDevice, rows_of
from tests.needs import require_program, require_root

SHELLS = ("bash", "busybox", "dash", "mksh")
DF = "Filesystem     1K-blocks     Used Available Use% Mounted on\n/dev/root 59832656 9 {} 12% /\n"


def visit_of(transport, directory):
    device = Device("kitchen", "ssh://pi@board", "generic-linux", PurePosixPath(directory))
    return Visit(device, transport, load_profile("generic-linux"))


def shell_command(name):
    program = str(require_program(name, f"apt-get install {name}"))
    return (program, "sh") if name == "busybox" else (program,)


def run_in(shell, script, *arguments):
    return LocalTransport().run((*shell_command(shell), "-c", script, "sh", *arguments), timeout_s=30)


@pytest.mark.parametrize(
    ("kilobytes", "status"), [(9_000_000, "ok"), (400_000, "warning"), (50_000, "fail"), ("many", "not known")]
)
def test_free_space(kilobytes, status):
    rows = rows_of(FakeDevice(pi_files(), pi_commands(), scripts(df=DF.format(kilobytes))), "raspberry-pi-5")

    assert rows["storage"].status == status
    if status in ("warning", "fail"):
        assert "pocketbench device remove kitchen && pocketbench device add ssh://pi@board" in str(
            rows["storage"].remedy
        )


def test_room_for_a_directory_that_is_not_there_yet(tmp_path):
    (row,) = storage(visit_of(LocalTransport(), tmp_path / "a" / "b c"))

    assert row.status in ("ok", "warning")
    assert "MB free" in row.found
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["plain", "with space", "$(touch x)", "it's"])
def test_a_program_runs_and_is_gone_afterwards(shell, name, tmp_path):
    directory = tmp_path / name
    answer = run_in(shell, PROGRAM_RUNS, str(directory), ".check-0")

    assert answer.stdout.decode().splitlines() == [f"there {directory}", "runs"]
    assert answer.exit_code == 0
    assert list(tmp_path.iterdir()) == [directory]
    assert list(directory.iterdir()) == []


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("in the way")
    (row,) = executable_directory(visit_of(LocalTransport(), tmp_path / "file" / "x"))

    assert row.status == "fail"
    assert "cannot be made or entered" in row.found
    assert "Not a directory" in row.found


class _Mounted(LocalTransport):
    """Runs each command where a file system is mounted that nobody else sees, and that is gone with the command."""

    def __init__(self, place, options):
        super().__init__()
        self._before = ("unshare", "-m", "sh", "-c", f'mount -t tmpfs -o {options} none "$0" && exec "$@"', str(place))

    def run(self, argv, *, timeout_s, stdin=b""):
        return super().run((*self._before, *argv), timeout_s=timeout_s, stdin=stdin)


@pytest.mark.parametrize(
    ("options", "found", "remedy"),
    [
        ("noexec", "Permission denied ({} is mounted noexec)", "sudo mount -o remount,exec {}"),
        ("ro", "cannot be made or entered", "use another directory"),
    ],
)
def test_a_file_system_that_runs_or_takes_no_programs(options, found, remedy, tmp_path):
    require_root("to mount a file system")
    (row,) = executable_directory(visit_of(_Mounted(tmp_path, options), tmp_path / "ours"))

    assert row.status == "fail"
    assert found.format(tmp_path) in row.found
    assert remedy.format(tmp_path) in str(row.remedy)


@pytest.mark.parametrize("shell", SHELLS)
def test_files_are_read_in_one_go(shell, tmp_path):
    for name, text in (("zone0", "type"), ("zone1", "no end of line"), ("zone2", "two\nlines\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "temp").write_text(text)
    (tmp_path / "zone3").mkdir()
    (tmp_path / "zone3" / "temp").mkdir()  # cannot be read
    (tmp_path / "big").write_text("x" * 100_000)
    answer = run_in(shell, READ_FILES, "mark", f"{tmp_path}/zone*/temp", f"{tmp_path}/none", f"{tmp_path}/big")
    files = file_texts(answer.stdout.decode(), "mark")

    assert [(file.folder, file.text) for file in files[:3]] == [
        ("zone0", "type"),
        ("zone1", "no end of line"),
        ("zone2", "two\nlines\n"),
    ]
    assert files[3].folder == "zone3"
    assert "Is a directory" in str(files[3].problem)
    assert files[3].text == ""
    assert files[4].text == "x" * 4096
    assert len(files) == 5


@pytest.mark.parametrize("shell", SHELLS)
def test_a_file_is_read_for_about_a_second(shell, tmp_path):
    still = tmp_path / "still"
    still.write_text("7\n8")
    unchanged = run_in(shell, READ_SENSOR, "mark", f"{tmp_path}/*")
    changing = run_in(shell, READ_SENSOR, "mark", "/proc/uptime")

    reads, changes, hundredths = _rate(unchanged)
    assert reads > 10
    assert changes == 0
    assert hundredths >= 100
    assert file_texts(unchanged.stdout.decode(), "mark")[0].text.startswith("7\n8")
    assert _rate(changing)[1] > 10  # it counts hundredths of a second


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_is_run_for_about_a_second(shell):
    good = run_in(shell, READ_COMMAND, "mark", "cat", "/proc/uptime")
    bad = run_in(shell, READ_COMMAND, "mark", "sh", "-c", "echo 'no such sensor' >&2; exit 3")
    none = run_in(shell, READ_COMMAND, "mark", "no-such-program")

    assert "mark code 0\n" in good.stdout.decode()
    assert _rate(good)[1] > 1
    assert bad.stdout.decode() == "no such sensor\nmark code 3\n"
    assert none.stdout.decode().endswith("\nmark code 127\n")


def _rate(answer):
    match = re.search(r"^mark rate (\d+) (\d+) (\d+)$", answer.stdout.decode(), re.MULTILINE)
    assert match, answer
    return tuple(int(number) for number in match.groups())
