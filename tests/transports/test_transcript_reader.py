"""A transcript is read as it was written, up to where it was cut off, or refused: changed, made by something else."""

from __future__ import annotations

import base64
import json
import random
import zlib
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.local import LocalTransport
from pocketbench.harness.transports.recording import RecordingTransport
from pocketbench.harness.transports.scripted import ScriptedTransport
from pocketbench.harness.transports.transcript import CONTENT_BYTES
from pocketbench.harness.transports.transcript_reader import read_transcript

BOMB = base64.b64encode(zlib.compress(bytes(CONTENT_BYTES + 1))).decode()


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "bug.jsonl"
    with RecordingTransport(LocalTransport(), path, pocketbench_version="1") as transport:
        transport.run(["echo", "serial 12345"], timeout_s=5)
        transport.run(["head", "-c", "5000", "/dev/zero"], timeout_s=5)
        transport.pull(PurePosixPath(path), path.with_name("copy"))
    return path


def test_it_is_read(transcript):
    read = read_transcript(transcript)

    assert [call.kind for call in read.calls] == ["run", "run", "pull"]
    assert (read.complete, read.header.transport) == (True, "local")


def test_cut_at_any_byte_what_stands_before_is_read(transcript, caplog):
    """As a crash in the middle of a recording leaves it."""
    whole, calls = transcript.read_bytes(), read_transcript(transcript).calls
    lines = whole.splitlines(keepends=True)
    ends = [sum(map(len, lines[:count])) for count in range(1, len(lines))]
    for size in [*ends, *random.Random(1).sample(range(len(whole)), 100)]:
        transcript.write_bytes(whole[:size])
        if size < ends[0] - 1:
            with pytest.raises(InputError, match=str(transcript)):
                read_transcript(transcript)
            continue
        read = read_transcript(transcript)
        whole_lines = [json.loads(line) for line in whole[:size].split(b"\n")[1:-1]]
        assert read.calls == calls[: sum(line["kind"] in ("run", "pull") for line in whole_lines)]
        assert not read.complete
        assert f"it has {len(read.calls)} calls and no end" in caplog.messages[-1]


def test_a_changed_byte_is_found(transcript):
    whole = transcript.read_bytes()
    for place in random.Random(2).sample(range(len(whole) - 1), 100):
        changed = bytearray(whole)
        changed[place] ^= 1
        transcript.write_bytes(changed)
        with pytest.raises(InputError):
            read_transcript(transcript)


def test_what_was_taken_out_on_purpose_is_accepted_when_the_file_says_so(transcript):
    changed = transcript.read_text().replace("serial 12345\\n", "serial XXX\\n")
    transcript.write_text(changed)
    with pytest.raises(InputError, match='"edited": true'):
        read_transcript(transcript)

    transcript.write_text(changed.replace('"edited": false', '"edited": true'))

    replayed = ScriptedTransport(transcript)
    assert replayed.run(["echo", "serial 12345"], timeout_s=5).stdout == b"serial XXX\n"


def rewritten(transcript: Path, index: int, **changes: object) -> None:
    """Line `index` with other keys; the file says that it was edited, so that only the schema is in the way."""
    lines = [json.loads(line) for line in transcript.read_text().splitlines()]
    lines[0]["edited"] = True
    lines[index] = {key: value for key, value in {**lines[index], **changes}.items() if value is not None}
    transcript.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize(
    ("index", "changes"),
    [
        pytest.param(0, {"pocketbench_transcript": 2}, id="newer version"),
        pytest.param(0, {"host": "kitchen"}, id="unknown key"),
        pytest.param(1, {"kind": "format-disk"}, id="unknown kind"),
        pytest.param(1, {"argv": "echo"}, id="argv as text"),
        pytest.param(1, {"result": None}, id="neither result nor error"),
        pytest.param(1, {"error": {"name": "SystemExit", "message": "x"}}, id="error of another kind"),
        pytest.param(1, {"duration_s": -1}, id="negative time"),
        pytest.param(1, {"stdin": {"text": "a", "base64": "YQ=="}}, id="two contents"),
        pytest.param(1, {"stdin": {"base64": "YQ=?"}}, id="no base64"),
        pytest.param(1, {"kind": "header", "pocketbench_transcript": 1}, id="second header"),
        pytest.param(2, {"zlib": "%%%"}, id="content that is no base64"),
        pytest.param(2, {"zlib": "YQ=="}, id="content that is no zlib"),
        pytest.param(2, {"zlib": BOMB}, id="content that unpacks to more than ours"),
        pytest.param(2, {"zlib": BOMB[:400]}, id="content that was cut"),
    ],
)
def test_a_line_of_another_form_is_refused(transcript, index, changes):
    rewritten(transcript, index, **changes)
    with pytest.raises(InputError, match=str(transcript)):
        read_transcript(transcript)


def test_a_line_after_the_end_is_refused(transcript):
    lines = transcript.read_text().splitlines(keepends=True)
    transcript.write_text("".join([*lines, lines[1]]))
    with pytest.raises(InputError, match="nothing after the end"):
        read_transcript(transcript)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}", b"\x7fELF\0", b'{"pocketbench_transcript": []}\n', b"[" * 100_000]
)
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_transcript(path)


def test_no_file_is_refused_by_its_name(tmp_path):
    with pytest.raises(InputError, match="none: No such file"):
        read_transcript(tmp_path / "none")
    with pytest.raises(InputError, match="Is a directory"):
        read_transcript(tmp_path)
