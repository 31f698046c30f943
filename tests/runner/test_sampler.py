"""The sampler: it reads what it is told at the rates it is told, on the device's clock, beside the engine."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.sensing import Reading, SensorRequest, read_readings, sensor_list
from tests.needs import require_that
from tests.runner.conftest import ECHO, TIMEOUT_S

Sample = Callable[..., tuple[list[dict[str, Any]], list[Reading]]]


@pytest.fixture
def arguments(program, fakes, tmp_path) -> Callable[..., list[str]]:
    """The command line of a launch of the fake engine that reads `sensors`."""

    def arguments(sensors: Sequence[SensorRequest] | bytes, *more: str, mode: str = "idle") -> list[str]:
        listed = sensors if isinstance(sensors, bytes) else sensor_list(sensors)
        (tmp_path / "sensors").write_bytes(listed)
        (tmp_path / "model").write_text(ECHO)
        engine = ("--engine", "onnxruntime", "--library", str(fakes["onnxruntime"]), "--model", str(tmp_path / "model"))
        files = ("--sensors", str(tmp_path / "sensors"), "--readings", str(tmp_path / "readings"))
        return [str(program), mode, *engine, *files, *more]

    return arguments


@pytest.fixture
def sample(arguments, tmp_path) -> Sample:
    """Launch; the events and the readings."""

    def sample(sensors: Sequence[SensorRequest], *more: str, mode: str = "idle", **environment: str):
        command = arguments(sensors, *more, mode=mode)
        completed = subprocess.run(
            command, env={**os.environ, **environment}, check=True, capture_output=True, timeout=TIMEOUT_S
        )
        events = [json.loads(line) for line in completed.stdout.splitlines()]
        said = next(event for event in events if event["event"] == "sensors")
        return events, read_readings((tmp_path / "readings").read_bytes(), sensors=len(sensors), count=said["readings"])

    return sample


def node(path: object, period_ms: int = 20) -> SensorRequest:
    return SensorRequest(period_ms, "node", (str(path),))


def command(*words: str, period_ms: int = 100_000) -> SensorRequest:
    return SensorRequest(period_ms, "command", words)


def test_every_sensor_is_read_at_its_own_rate_on_the_monotonic_clock(sample, tmp_path):
    (tmp_path / "slow").write_text("1")
    before = time.monotonic_ns()

    events, readings = sample([node("/proc/uptime", 25), node(tmp_path / "slow", 250)], "--min-time-ms", "1000")

    after = time.monotonic_ns()
    idle = next(event for event in events if event["event"] == "idle")
    assert before < readings[0].start_ns <= idle["start_ns"] < idle["end_ns"] <= readings[-1].start_ns < after
    assert idle["end_ns"] - idle["start_ns"] >= 1_000_000_000
    fast = [reading.start_ns for reading in readings if reading.sensor == 0]
    slow = [reading for reading in readings if reading.sensor == 1]
    # At least a second of both; the last of each is that of the end. A busy computer makes fewer.
    assert 10 <= len(fast) <= (after - before) / 25e6 + 2
    assert 2 <= len(slow) <= (after - before) / 250e6 + 2
    turns = [(start - fast[0] + 1_000_000) // 25_000_000 for start in fast[:-1]]
    assert all(second > first for first, second in itertools.pairwise(turns))
    assert {reading.data for reading in slow} == {b"1"}
    assert all(reading.problem is None for reading in readings)


def test_all_are_read_once_more_after_the_last_iteration(sample, tmp_path):
    """Counters are taken at the edges of what is measured."""
    options = ("--samples", str(tmp_path / "samples"), "--min-time-ms", "50", "--iterations", "1")
    _, readings = sample([node("/proc/uptime", 60_000), command("echo", "hello")], *options, mode="bench")

    starts = [start for start, _ in struct.iter_unpack("<qq", (tmp_path / "samples").read_bytes())]
    assert [reading.sensor for reading in readings] == [0, 1, 0, 1]
    assert readings[1].start_ns < starts[0]
    assert readings[2].start_ns > starts[-1]
    assert readings[3].data == b"hello\n"


def test_what_cannot_be_read_says_why_and_may_be_there_later(sample, tmp_path):
    late = tmp_path / "late"
    appear = command("sh", "-c", f"echo 7 > {late}")
    problems = [
        node(tmp_path / "missing", 100_000),
        node(tmp_path, 100_000),
        command("false"),
        command("no-such-command"),
        command("sh", "-c", "echo cut; kill -SEGV $$"),
        node(late, 100_000),
        appear,
    ]
    _, readings = sample(problems, "--min-time-ms", "0")

    first, last = readings[: len(problems)], readings[len(problems) :]
    assert [reading.problem for reading in first] == [
        "No such file or directory (ENOENT)",
        "Is a directory (EISDIR)",
        "exit code 1",
        "exit code 127",
        "ended by signal 11",
        "No such file or directory (ENOENT)",
        None,
    ]
    assert first[4].data == b"cut\n"
    assert (last[5].data, last[5].problem) == (b"7\n", None)


def test_a_command_without_an_end_is_ended_and_counted(sample):
    events, readings = sample([command("sleep", "60"), node("/proc/uptime", 500)], "--min-time-ms", "0")

    assert readings[0].problem == "no end within 2 s"
    assert 1.9e9 < readings[0].duration_ns < 30e9
    said = next(event for event in events if event["event"] == "sensors")
    assert said["wall_ns"] > 2e9
    assert subprocess.run(["pgrep", "-xf", "sleep 60"], check=False, capture_output=True).stdout == b""


def test_more_than_a_reading_holds_is_cut(sample):
    _, readings = sample([command("sh", "-c", "yes | head -c 1000000; echo end >&2")], "--min-time-ms", "0")

    assert {len(reading.data) for reading in readings} == {1 << 16}
    assert readings[0].problem is None


def allowed_cores(reading: Reading) -> set[int]:
    (listed,) = re.findall(r"^Cpus_allowed_list:\s*(\S+)$", reading.data.decode(), re.MULTILINE)
    ranges = [[int(end) for end in part.split("-")] for part in listed.split(",")]
    return {core for ends in ranges for core in range(ends[0], ends[-1] + 1)}


def test_it_keeps_away_from_the_measured_cores(sample):
    here = os.sched_getaffinity(0)
    require_that(len(here) > 1, f"expected two cores, got {len(here)}: run the tests where two are allowed")
    measured, *_, other = sorted(here)
    who = [node("/proc/self/status", 100_000)]

    _, away = sample(who, "--cores", str(measured), "--min-time-ms", "0")
    _, told = sample(who, "--cores", str(measured), "--sampler-cores", str(other), "--min-time-ms", "0")
    _, free = sample(who, "--min-time-ms", "0")
    _, nowhere = sample(who, "--cores", ",".join(map(str, sorted(here))), "--min-time-ms", "0")

    assert allowed_cores(away[0]) == here - {measured}
    assert allowed_cores(told[0]) == {other}
    assert allowed_cores(free[0]) == here
    assert allowed_cores(nowhere[0]) == here


def test_cores_that_are_not_there_are_refused(arguments):
    completed = subprocess.run(
        arguments([node("/proc/uptime")], "--sampler-cores", "1023"),
        check=False,
        capture_output=True,
        timeout=TIMEOUT_S,
    )

    assert completed.returncode == 1
    assert b"expected the sampler's cores 1023 to be allowed here" in completed.stdout


MAILBOX = r"""
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
static int mailbox = -1;
int open(const char *path, int flags, ...) {
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
  if (strcmp(path, "/dev/vcio") == 0) return mailbox = real("/dev/null", flags);
  return real(path, flags, 0600);
}
int ioctl(int fd, int request, ...) {
  va_list arguments;
  va_start(arguments, request);
  uint32_t *message = va_arg(arguments, uint32_t *);
  va_end(arguments);
  char *text = (char *)&message[6];
  if (fd != mailbox || (uint32_t)request != 0xc0086400u || message[0] != 28 + message[3] || message[1] != 0 ||
      message[2] != 0x00030080 || message[6 + message[3] / 4] != 0 || strcmp(text, "measure_clock arm") != 0)
    return -1;
  memcpy(text, "frequency(0)=2400023808\0more", 29);
  message[1] = 0x80000000;
  return 0;
}
"""


def test_the_firmware_is_asked_through_its_mailbox(sample, tmp_path):
    """With a stand-in for the kernel's side, as raspberrypi/utils' vcgencmd.c speaks to it."""
    (tmp_path / "mailbox.c").write_text(MAILBOX)
    shim = tmp_path / "mailbox.so"
    build = (sys.executable, "-m", "ziglang", "cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-fno-sanitize=all")
    subprocess.run([*build, "-o", str(shim), str(tmp_path / "mailbox.c"), "-ldl"], check=True)
    firmware = SensorRequest(100_000, "firmware", ("measure_clock", "arm"))

    _, readings = sample([firmware], "--min-time-ms", "0", LD_PRELOAD=str(shim))

    assert [reading.data for reading in readings] == [b"frequency(0)=2400023808\0more"] * 2


def test_without_the_mailbox_vcgencmd_is_run(sample, tmp_path):
    program = tmp_path / "vcgencmd"
    program.write_text('#!/bin/sh\necho "asked for $*"\n')
    program.chmod(0o755)

    _, readings = sample(
        [SensorRequest(100_000, "firmware", ("measure_clock", "arm"))],
        *("--min-time-ms", "0"),
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )

    assert readings[0].data == b"asked for measure_clock arm\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param(b"", "expected sensors", id="none"),
        pytest.param(b"100\tnode\t/proc/uptime", "complete last line", id="cut"),
        pytest.param(b"0\tnode\t/proc/uptime\n", "a period of 1 to 3600000 ms in line 1", id="no-period"),
        pytest.param(b"1x\tnode\t/proc/uptime\n", "a period", id="no-number"),
        pytest.param(b"\n", "a period", id="empty-line"),
        pytest.param(b"10\tfile\t/proc/uptime\n", "expected node, command or firmware in line 1", id="kind"),
        pytest.param(b"10\n", "expected node, command or firmware", id="no-kind"),
        pytest.param(b"10\tnode\n", "expected a path in line 1", id="no-path"),
        pytest.param(b"10\tnode\t/a\t/b\n", "expected a path", id="two-paths"),
        pytest.param(b"10\tcommand\t\n", "words that are not empty", id="empty-word"),
        pytest.param(b"10\tcommand" + b"\ta" * 17 + b"\n", "expected 1 to 16 words", id="words"),
        pytest.param(b"10\tnode\t/a\n" * 129, "at most 128 sensors", id="many"),
        pytest.param(b"x" * (1 << 18), "less than 262144 bytes", id="long"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_before_the_engine_is_loaded(arguments, line, words):
    completed = subprocess.run(arguments(line), check=False, capture_output=True, timeout=TIMEOUT_S)

    last = json.loads(completed.stdout.splitlines()[-1])
    assert (completed.returncode, last["event"], last["stage"]) == (1, "error", "sensors")
    assert words in last["message"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_it_ends_with_the_runner_and_holds_none_of_its_streams(arguments, tmp_path, how):
    command = arguments([node("/proc/uptime")], "--min-time-ms", "60000")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        while b'"idle"' not in runner.stdout.readline():
            continue
        (sampler,) = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
        streams = [str(Path(f"/proc/{sampler}/fd/{number}").readlink()) for number in range(3)]
        runner.send_signal(how)
        runner.communicate(timeout=TIMEOUT_S)  # ends only where nobody else holds the streams

    assert streams == ["/dev/null"] * 3
    deadline = time.monotonic() + TIMEOUT_S
    while Path(f"/proc/{sampler}/fd").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
        if Path(f"/proc/{sampler}/stat").read_text().split(")")[1].split()[0] == "Z":
            break
    else:
        assert time.monotonic() < deadline


def test_a_sampler_that_was_killed_is_an_error(arguments):
    with subprocess.Popen(
        arguments([node("/proc/uptime")], "--min-time-ms", "500"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as runner:
        assert runner.stdout is not None
        while b'"idle"' not in runner.stdout.readline():
            continue
        (sampler,) = Path(f"/proc/{runner.pid}/task/{runner.pid}/children").read_text().split()
        os.kill(int(sampler), signal.SIGKILL)
        output, _ = runner.communicate(timeout=TIMEOUT_S)

    assert runner.returncode == 1
    assert b"expected the sampler to say what it did" in output


def test_its_own_cost_is_stated(sample):
    events, _ = sample([command("sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")], "--min-time-ms", "0")

    said = next(event for event in events if event["event"] == "sensors")
    # What the command used counts as well, twice: it takes milliseconds.
    assert 1e6 < said["cpu_ns"] < said["wall_ns"] * 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: b"PBTENSOR" + content[8:], id="another-file"),
        pytest.param(lambda content: content[:-1], id="cut"),
        pytest.param(lambda content: content[:15], id="cut-header"),
        pytest.param(lambda content: content + content[12:], id="twice"),
        pytest.param(lambda content: content[:12], id="empty"),
        pytest.param(lambda content: content[:28] + b"\xff" + content[29:], id="sensor"),
    ],
)
def test_a_damaged_file_of_readings_is_refused(tmp_path, damage):
    readings = [struct.pack("<qIIHH", start, 5, 2, 0, 0) + b"42" for start in (1, 2)]
    path = tmp_path / "readings"
    path.write_bytes(struct.pack("<8sI", b"PBSENSOR", 1) + b"".join(readings))
    assert [reading.start_ns for reading in read_readings(path.read_bytes(), sensors=1, count=2)] == [1, 2]

    path.write_bytes(damage(path.read_bytes()))

    with pytest.raises(RunnerError):
        read_readings(path.read_bytes(), sensors=1, count=2)


@pytest.mark.parametrize(
    "sensors",
    [
        pytest.param([], id="none"),
        pytest.param([SensorRequest(0, "node", ("/a",))], id="period"),
        pytest.param([SensorRequest(10, "node", ("/a", "/b"))], id="two-paths"),
        pytest.param([SensorRequest(10, "command", ())], id="no-words"),
        pytest.param([SensorRequest(10, "command", ("a\nb",))], id="line-end"),
        pytest.param([SensorRequest(10, "command", ("a", ""))], id="empty-word"),
    ],
)
def test_a_request_that_the_runner_would_refuse_is_not_written(sensors):
    with pytest.raises(ValueError, match="expected"):
        sensor_list(sensors)
