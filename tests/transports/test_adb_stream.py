"""How much may be sent on a stream to a phone: one message, or, with delayed_ack, what the other side takes."""

from __future__ import annotations

import io
import os
import struct
from pathlib import PurePosixPath

import pytest
from adb_shell import constants

from pocketbench.harness.transports.adb_protocol import AdbProtocolError
from pocketbench.harness.transports.adb_stream import WINDOW_BYTES, DirectStream
from pocketbench.harness.transports.adb_wire import Message
from tests.devices.adbd import FEATURES
from tests.devices.phone import Phone

PAYLOAD_BYTES = 1000
TIMEOUT_S = 60.0


@pytest.fixture
def sent() -> list[Message]:
    return []


def stream_of(sent, window_bytes=WINDOW_BYTES):
    return DirectStream(1, PAYLOAD_BYTES, window_bytes, sent.append, lambda _: None)


def okay(count: int | None = None) -> Message:
    return Message(constants.OKAY, 7, 1, b"" if count is None else struct.pack("<i", count))


def test_as_much_is_sent_as_the_device_takes_and_no_more(sent):
    stream = stream_of(sent)
    stream.deliver(okay(2_500))
    stream.write(bytes(3_000), 0.01)
    assert [len(message.data) for message in sent] == [1000, 1000, 1000]
    stream.deliver(okay(500))
    with pytest.raises(TimeoutError):
        stream.write(b"x", 0.01)
    stream.deliver(okay(1))
    stream.write(b"x", 0.01)
    with pytest.raises(TimeoutError):
        stream.write(b"x", 0.01)
    assert {message.arg1 for message in sent} == {7}


def test_a_device_may_take_back_what_it_said(sent):
    stream = stream_of(sent)
    stream.deliver(okay(500))
    stream.deliver(okay(-500))
    with pytest.raises(TimeoutError):
        stream.write(b"x", 0.01)


def test_without_it_a_message_is_acknowledged_before_the_next(sent):
    stream = stream_of(sent, window_bytes=0)
    stream.deliver(okay())
    with pytest.raises(TimeoutError):
        stream.write(bytes(2_000), 0.01)
    assert len(sent) == 1
    stream.deliver(okay())
    stream.deliver(okay())
    with pytest.raises(TimeoutError):
        stream.write(bytes(2_000), 0.01)
    assert len(sent) == 2


@pytest.mark.parametrize("count", [b"", b"\0", bytes(8)])
def test_an_acknowledgement_without_a_count_is_no_acknowledgement(sent, count):
    with pytest.raises(AdbProtocolError, match=f"a count of {len(count)} bytes"):
        stream_of(sent).deliver(Message(constants.OKAY, 7, 1, count))


@pytest.mark.parametrize("window_bytes", [0, WINDOW_BYTES], ids=["one by one", "delayed"])
def test_a_device_that_sends_without_end_is_stopped(sent, window_bytes):
    stream = stream_of(sent, window_bytes)
    piece = bytes(WINDOW_BYTES // 16)
    for _ in range(16 if window_bytes else 8):
        stream.deliver(Message(constants.WRTE, 7, 1, piece))
    with pytest.raises(AdbProtocolError, match="data that was not asked for"):
        stream.deliver(Message(constants.WRTE, 7, 1, piece))


def test_what_was_read_is_acknowledged_by_its_size(sent):
    stream = stream_of(sent)
    stream.deliver(okay(1))
    for _ in range(100):
        stream.deliver(Message(constants.WRTE, 7, 1, bytes(WINDOW_BYTES)))
        assert len(stream.read(0.01)) == WINDOW_BYTES
    assert {message.data for message in sent} == {struct.pack("<i", WINDOW_BYTES)}


@pytest.mark.parametrize("features", [FEATURES, set(FEATURES) - {"delayed_ack"}], ids=["delayed", "one by one"])
def test_both_kinds_of_phones_are_understood(tmp_path, reach, features):
    """The emulated adbd asserts that it is sent no more than it said, and that counts come where they have to."""
    data = os.urandom(3_000_000)
    (tmp_path / "source").write_bytes(data)
    target = PurePosixPath("/data/local/tmp/target")
    with Phone(tmp_path / "phone", features=sorted(features)) as phone:
        transport = reach(phone)
        assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=io.BytesIO(data)).stdout == data
        transport.push(tmp_path / "source", target)
        transport.pull(target, tmp_path / "pulled")
    assert (tmp_path / "pulled").read_bytes() == data
