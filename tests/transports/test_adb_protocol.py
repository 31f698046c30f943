"""Packets of the shell protocol v2, in whatever pieces they come."""

from __future__ import annotations

import pytest

from pocketbench.harness.transports.adb_protocol import CLOSE_STDIN, AdbProtocolError, ShellDecoder, stdin_packet

# What adbd sends for `echo hi; echo no >&2; exit 5`.
ANSWER = b"\x01\x03\x00\x00\x00hi\n\x02\x03\x00\x00\x00no\n\x03\x01\x00\x00\x00\x05"


def decode(*pieces: bytes) -> tuple[int | None, bytes, bytes]:
    output, errors = bytearray(), bytearray()
    decoder = ShellDecoder(output.extend, errors.extend)
    for piece in pieces:
        decoder.feed(piece)
    return decoder.exit_code, bytes(output), bytes(errors)


def test_both_outputs_and_the_exit_code_are_told_apart():
    assert decode(ANSWER) == (5, b"hi\n", b"no\n")


@pytest.mark.parametrize("size", range(1, len(ANSWER)))
def test_pieces_of_any_size_say_the_same(size):
    pieces = [ANSWER[start : start + size] for start in range(0, len(ANSWER), size)]

    assert decode(*pieces) == (5, b"hi\n", b"no\n")


def test_without_its_last_packet_there_is_no_exit_code():
    assert decode(ANSWER[:-1]) == (None, b"hi\n", b"no\n")


def test_what_follows_the_exit_code_is_nothing():
    assert decode(ANSWER + b"\x01\x01\x00\x00\x00x") == (5, b"hi\n", b"no\n")


def test_an_empty_packet_is_allowed():
    assert decode(b"\x01\x00\x00\x00\x00" + ANSWER) == (5, b"hi\n", b"no\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"sh: not found\n", "kind 115", id="text"),
        pytest.param(b"\x00\x01\x00\x00\x00x", "kind 0", id="our-own-input"),
        pytest.param(b"\x01\xff\xff\xff\xff", "4294967295 bytes", id="endless"),
        pytest.param(b"\x03\x02\x00\x00\x00\x00\x00", "exit code of 2 bytes", id="long-exit-code"),
        pytest.param(b"\x03\x00\x00\x00\x00", "exit code of 0 bytes", id="no-exit-code"),
    ],
)
def test_anything_else_is_refused(data, words):
    with pytest.raises(AdbProtocolError, match=words):
        decode(data)


def test_input_and_its_end_are_packets():
    assert stdin_packet(b"ab") + CLOSE_STDIN == b"\x00\x02\x00\x00\x00ab\x04\x00\x00\x00\x00"
