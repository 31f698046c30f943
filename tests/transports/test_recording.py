"""A recorded session answers again as it did: with other random names, in the same order, and nothing else."""

from __future__ import annotations

import hashlib
import io
import json
import re
import resource
import secrets
import time
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports import transcript_writer
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.recording import RecordingTransport
from pocketbench.harness.transports.scripted import ScriptedTransport, UnexpectedCallError

NOISE = bytes(range(256)) * 40


@pytest.fixture
def transcript(tmp_path):
    return tmp_path / "bug.jsonl"


@pytest.fixture
def record(transcript):
    """record(session): what the session returned while it was recorded on this computer."""

    def record(session):
        with RecordingTransport(LocalTransport(), transcript, pocketbench_version="1.2") as transport:
            return session(transport)

    return record


def lines(transcript: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in transcript.read_text(encoding="ascii").splitlines()]


def shell(transport, script, *arguments, timeout_s=10.0, stdin=b""):
    return transport.run(["sh", "-c", script, "sh", *arguments], timeout_s=timeout_s, stdin=stdin)


def test_commands_answer_as_they_did(record, transcript):
    def session(transport):
        return [
            shell(transport, "echo out; echo err >&2; exit 3"),
            shell(transport, "kill -9 $$"),
            shell(transport, "cat", stdin="a line of ünïcode\n".encode()),
            shell(transport, "cat", stdin=io.BytesIO(NOISE)),
            shell(transport, "printf 'a\\0b\\033[31m\\377'"),
        ]

    recorded = record(session)
    replayed = ScriptedTransport(transcript)

    assert session(replayed) == recorded
    assert replayed.remaining == 0


def test_random_names_may_differ_but_must_agree_with_each_other(record, transcript):
    script = 'echo "$1 begins"; echo "made /x/.$2.part for $3"'

    def session(transport):
        mark, token = f"pocketbench-{secrets.token_hex(8)}", secrets.token_hex(16)
        deployment = f"20260102T030405Z-{secrets.token_hex(6)}-{secrets.token_hex(4)}"
        said = shell(transport, script, mark, token, deployment).stdout.decode()
        assert said == f"{mark} begins\nmade /x/.{token}.part for {deployment}\n"
        return shell(transport, "echo $0", f"/x/.{token}.part")

    record(session)

    assert session(ScriptedTransport(transcript)).exit_code == 0

    replayed = ScriptedTransport(transcript)
    shell(replayed, script, "pocketbench-0123456789abcdef", "0" * 32, "20260102T030405Z-0123456789ab-01234567")
    with pytest.raises(UnexpectedCallError):  # the same file in the recording, another one here
        shell(replayed, "echo $0", f"/x/.{'1' * 32}.part")


@pytest.mark.parametrize(
    ("recorded", "called"),
    [
        (("echo", "0123456789abcde"), ("echo", "0123456789abcdf")),
        (("echo", "model-1"), ("echo", "model-2")),
        (("echo", "a"), ("echo", "a", "b")),
        (("echo", "a"), ("printf", "a")),
        (("echo", "0" * 16, "0" * 16), ("echo", "0" * 16, "1" * 16)),
        (("echo", "0" * 16, "1" * 16), ("echo", "2" * 16, "2" * 16)),
        (("echo", "0" * 16), ("echo", "x")),
    ],
)
def test_another_command_is_refused_with_what_was_expected(recorded, called, record, transcript):
    record(lambda transport: transport.run(recorded, timeout_s=5))
    replayed = ScriptedTransport(transcript)

    with pytest.raises(UnexpectedCallError) as caught:
        replayed.run(called, timeout_s=5)

    assert " ".join(recorded) in str(caught.value)
    assert " ".join(called) in str(caught.value)
    assert "version 1.2" in str(caught.value)
    with pytest.raises(UnexpectedCallError, match=re.escape(str(caught.value))):  # nothing is known of what follows
        replayed.run(recorded, timeout_s=5)


def test_after_the_last_call_there_is_none(record, transcript):
    record(lambda transport: transport.run(["true"], timeout_s=5))
    replayed = ScriptedTransport(transcript)
    replayed.run(["true"], timeout_s=5)

    with pytest.raises(UnexpectedCallError, match="call 2 to be no further call, got the command 'true'"):
        replayed.run(["true"], timeout_s=5)


def test_errors_are_raised_again(record, transcript, tmp_path):
    def session(transport):
        with pytest.raises(DeviceTimeoutError, match="to finish within") as late:
            transport.run(["sleep", "20"], timeout_s=0.1)
        with pytest.raises(TransportError, match="No such file") as lost:
            transport.pull(PurePosixPath("/no/such/file"), tmp_path / "never")
        with pytest.raises(TransportError, match="No such file") as full:
            transport.push(transcript, PurePosixPath("/no/such/folder/file"))
        return [str(caught.value) for caught in (late, lost, full)]

    (tmp_path / "pushed").write_bytes(b"x")
    transcript, whole = tmp_path / "pushed", transcript
    recorded = record(session)

    assert session(ScriptedTransport(whole)) == recorded
    assert not (tmp_path / "never").exists()


def test_files_come_back_and_what_is_pushed_is_checked(record, transcript, tmp_path):
    source = tmp_path / "source"
    source.write_bytes(NOISE)

    def session(transport):
        there = PurePosixPath(tmp_path / f".{secrets.token_hex(8)}.there")
        transport.push(source, there, mode=0o755)
        transport.pull(there, tmp_path / "back")
        return (tmp_path / "back").read_bytes()

    assert record(session) == NOISE
    pushed = next(line for line in lines(transcript) if line["kind"] == "push")
    assert (pushed["size_bytes"], pushed["sha256"]) == (len(NOISE), hashlib.sha256(NOISE).hexdigest())
    (tmp_path / "back").unlink()

    assert session(ScriptedTransport(transcript)) == NOISE

    source.write_bytes(b"another")
    with pytest.raises(UnexpectedCallError, match=pushed["sha256"]):
        session(ScriptedTransport(transcript))


def test_the_file_can_be_read_and_holds_nothing_but_the_calls(record, transcript):
    record(lambda transport: [shell(transport, "cat /proc/self/status; printf '\\033[31mred'") for _ in range(2)])

    header, *calls, end = lines(transcript)

    assert header == {
        "kind": "header",
        "pocketbench_transcript": 1,
        "pocketbench_version": "1.2",
        "transport": "local",
        "edited": False,
    }
    assert [line["kind"] for line in calls] == ["run", "run"]
    assert "Pid:" in calls[0]["result"]["stdout"]["text"]
    assert (end["kind"], end["calls"], end["complete"]) == ("end", 2, True)
    assert transcript.stat().st_mode & 0o777 == 0o600
    assert not [c for c in transcript.read_text() if not (c.isprintable() or c == "\n")]  # no escapes, no controls


def test_a_large_answer_stands_once(record, transcript, tmp_path):
    (tmp_path / "large").write_bytes(secrets.token_bytes(100_000))

    def session(transport):
        return [transport.run(["cat", str(tmp_path / "large")], timeout_s=5).stdout for _ in range(3)]

    recorded = record(session)

    assert transcript.stat().st_size < 150_000
    assert session(ScriptedTransport(transcript)) == recorded


def test_what_is_fed_from_a_file_is_read_again(record, transcript):
    data = secrets.token_bytes(300_000)

    def session(transport):
        stream = io.BytesIO(data)
        counted = shell(transport, "wc -c", stdin=stream).stdout.strip()
        return counted, stream.tell()

    assert record(session) == (b"300000", 300_000)
    assert lines(transcript)[1]["stdin"] == {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": 300_000}
    assert session(ScriptedTransport(transcript)) == (b"300000", 300_000)


def test_recording_stops_at_the_limit_and_says_so(record, transcript, monkeypatch, caplog):
    monkeypatch.setattr(transcript_writer, "TRANSCRIPT_BYTES", 2000)

    def session(transport, count):
        return [shell(transport, f"echo {number}; # {'x' * 300}").stdout for number in range(count)]

    assert record(lambda transport: session(transport, 20)) == [f"{n}\n".encode() for n in range(20)]

    assert "recording stopped" in caplog.text
    assert transcript.stat().st_size < 2500
    recorded = lines(transcript)[-1]["calls"]
    replayed = ScriptedTransport(transcript)
    session(replayed, recorded)
    with pytest.raises(UnexpectedCallError, match=r"recording stopped there"):
        shell(replayed, "true")


def test_an_answer_too_large_to_keep_is_named_when_it_is_wanted(record, transcript, monkeypatch):
    monkeypatch.setattr(transcript_writer, "CONTENT_BYTES", 5000)
    record(lambda transport: shell(transport, "head -c 6000 /dev/zero"))

    with pytest.raises(InputError, match="6000 bytes were too many"):
        shell(ScriptedTransport(transcript), "head -c 6000 /dev/zero")


@pytest.fixture
def small_files():
    """small_files(size): no file of this process becomes larger (setrlimit(2); Python ignores SIGXFSZ)."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size_bytes: resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("cut", [1, 100, 399])
def test_a_full_disk_ends_the_recording_and_not_the_session(cut, record, transcript, caplog, small_files):
    """As a disk that becomes full takes it: a part of a line, and then nothing."""

    def session(transport):
        whole = [shell(transport, f"echo {number}").stdout for number in range(3)]
        small_files(transcript.stat().st_size + cut)
        try:
            return [*whole, *(shell(transport, f"echo {'x' * 300}; echo {number}").stdout for number in range(3))]
        finally:
            small_files(resource.RLIM_INFINITY)

    recorded = record(session)

    assert len(recorded) == 6
    assert "recording stopped" in caplog.text
    replayed = ScriptedTransport(transcript)
    assert [shell(replayed, f"echo {number}").stdout for number in range(3)] == recorded[:3]
    with pytest.raises(UnexpectedCallError, match="recording stopped there"):
        shell(replayed, "true")


def test_what_a_crash_leaves_is_replayed_up_to_there(transcript):
    transport = RecordingTransport(LocalTransport(), transcript, pocketbench_version="1")
    said = [shell(transport, f"echo {number}").stdout for number in range(3)]

    replayed = ScriptedTransport(transcript)  # nobody has closed it

    assert [shell(replayed, f"echo {number}").stdout for number in range(3)] == said
    with pytest.raises(UnexpectedCallError, match="no further call"):
        shell(replayed, "true")
    transport.close()


def test_the_clock_of_the_session_goes_on_with_its_calls(record, transcript, tmp_path):
    def session(transport):
        transport.run(["sleep", "0.3"], timeout_s=5)
        time.sleep(0.2)
        with pytest.raises(TransportError):
            transport.pull(PurePosixPath("/no/such/file"), tmp_path / "never")

    record(session)
    replayed = ScriptedTransport(transcript)

    assert replayed.now_s == 0
    replayed.run(["sleep", "0.3"], timeout_s=5)
    assert replayed.now_s >= 0.3
    with pytest.raises(TransportError):
        replayed.pull(PurePosixPath("/no/such/file"), tmp_path / "never")
    assert replayed.now_s >= 0.5


def test_what_is_sent_is_in_no_transcript(record, transcript, tmp_path):
    (tmp_path / "model").write_bytes(b"precious weights")

    def session(transport):
        shell(transport, "cat >/dev/null", stdin=b"precious input")
        shell(transport, "cat >/dev/null", stdin=io.BytesIO(b"precious file"))
        transport.push(tmp_path / "model", PurePosixPath(tmp_path / "there"))

    record(session)

    assert "precious" not in transcript.read_text()
    assert [line["stdin"]["size_bytes"] for line in lines(transcript) if line["kind"] == "run"] == [14, 13]


def test_an_existing_file_is_not_overwritten(transcript):
    transcript.write_text("precious")
    with pytest.raises(InputError, match="expected to write a new transcript"):
        RecordingTransport(LocalTransport(), transcript, pocketbench_version="1")
    assert transcript.read_text() == "precious"


def test_ctrl_c_is_passed_on_and_written_down(transcript):
    class Interrupted(LocalTransport):
        def run(self, argv, *, timeout_s, stdin=b""):
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        RecordingTransport(Interrupted(), transcript, pocketbench_version="1") as transport,
    ):
        transport.run(["true"], timeout_s=5)

    with pytest.raises(TransportError, match="KeyboardInterrupt"):
        ScriptedTransport(transcript).run(["true"], timeout_s=5)


def test_arguments_that_are_no_utf_8_are_written_out(record, transcript):
    argument = b"caf\xe9".decode(errors="surrogateescape")
    recorded = record(lambda transport: transport.run(["printf", "%s", argument], timeout_s=5).stdout)

    assert ScriptedTransport(transcript).run(["printf", "%s", argument], timeout_s=5).stdout == recorded == b"caf\xe9"
