"""A phone that is lost in the middle: the call says so, nothing half is left, and the next call connects again."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from pathlib import PurePosixPath

import pytest

from pocketbench.harness.errors import DeviceTimeoutError, TransportError
from pocketbench.harness.transports.adb import phone_by_network
from pocketbench.harness.transports.adb_wire import TcpWire
from tests.devices.phone import Phone

TARGET = PurePosixPath("/data/local/tmp/target")
TIMEOUT_S = 60.0


def settled(transport, phone: Phone, adb_server) -> None:
    """An adb server connects again by itself, when it has noticed."""
    if adb_server is not None:
        adb_server.run("-s", f"{phone.host}:{phone.port}", "wait-for-device")


@pytest.fixture
def server_of(request):
    """The adb server that `today` goes through, if it does."""
    return request.getfixturevalue("adb_server") if "server" in request.node.name else None


def test_unplugged_in_the_middle_of_a_command(today, phone, data, server_of):
    def unplug():
        while not (data / "started").exists():
            time.sleep(0.01)
        phone.drop()

    thread = threading.Thread(target=unplug)
    thread.start()
    with pytest.raises(
        TransportError, match=r"^pixel: expected the connection to last while running 'sh', it was lost"
    ):
        today.run(["sh", "-c", "touch /data/local/tmp/started; sleep 30"], timeout_s=TIMEOUT_S)
    thread.join()

    settled(today, phone, server_of)
    assert today.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def test_unplugged_for_longer(today, phone, server_of):
    phone.unplug()
    for _ in range(2):
        with pytest.raises(TransportError, match=r"^pixel: "):
            today.run(["true"], timeout_s=TIMEOUT_S)

    phone.plug()
    if server_of is not None:
        server_of.run("disconnect")
        server_of.connect(phone.host, phone.port)
    assert today.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def test_switched_off_and_on(today, phone, server_of):
    assert today.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0
    phone.switch_off()
    with pytest.raises(TransportError, match=r"^pixel: "):
        today.run(["true"], timeout_s=TIMEOUT_S)

    phone.switch_on()
    if server_of is not None:
        server_of.run("disconnect")
        server_of.connect(phone.host, phone.port)
    assert today.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def test_cut_at_any_byte_of_a_push_the_old_file_stays(phone, reach, data, tmp_path):
    transport = reach(phone)
    (tmp_path / "source").write_bytes(random.Random(1).randbytes(300_000))
    (data / "target").write_bytes(b"old")
    choice = random.Random(2)
    # After the last byte of the file comes the command that puts it in place.
    cuts = [1, 24, 25, 300_000, *(choice.randrange(1, 300_000) for _ in range(96))]

    for cut in cuts:
        transport.way()
        phone.cut_at_byte(cut)
        with pytest.raises(TransportError, match=r"^pixel: expected the connection to last while"):
            transport.push(tmp_path / "source", TARGET)
        assert (data / "target").read_bytes() == b"old", cut

    transport.push(tmp_path / "source", TARGET)
    assert (data / "target").read_bytes() == (tmp_path / "source").read_bytes()


def test_cut_at_every_message_of_a_push_the_file_is_the_old_or_the_new(phone, reach, data, tmp_path):
    transport = reach(phone)
    new = random.Random(1).randbytes(300_000)
    (tmp_path / "source").write_bytes(new)
    transport.way()
    before = phone.messages
    transport.push(tmp_path / "source", TARGET)
    whole = phone.messages - before

    for cut in range(1, whole):
        (data / "target").write_bytes(b"old")
        transport.way()
        phone.cut_at_message(cut)
        with contextlib.suppress(TransportError):
            possible = [b"old", new]
            transport.push(tmp_path / "source", TARGET)
            possible = [new]  # the cut came after everything that matters
        assert (data / "target").read_bytes() in possible, cut
        transport.close()
    assert transport.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def test_cut_in_the_middle_of_a_pull_nothing_is_left(today, phone, data, tmp_path, server_of):
    (data / "target").write_bytes(bytes(10 << 20))
    here = tmp_path / "here"
    here.mkdir()
    phone.cut_at_message(14)

    with pytest.raises(TransportError, match=r"^pixel: expected the connection to last while copying"):
        today.pull(TARGET, here / "file")

    assert list(here.iterdir()) == []
    settled(today, phone, server_of)
    today.pull(TARGET, here / "file")
    assert (here / "file").stat().st_size == 10 << 20


def test_cut_while_connecting(tmp_path, no_adb_server):
    with Phone(tmp_path / "phone", trusts_all=False, accept_on_try=1) as phone:
        transport = phone_by_network("pixel", phone.host, phone.port, say=print, android_directory=tmp_path / "android")
        for cut in range(1, 5):  # greeting, token, signature, token; then the dialog
            phone.cut_at_message(cut)
            with pytest.raises(TransportError, match=r"^pixel: expected to connect to .* by ADB, got: the end of"):
                transport.run(["true"], timeout_s=TIMEOUT_S)
        with transport:
            assert transport.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0


def test_a_phone_that_falls_silent_is_given_up_in_time(phone, reach, data):
    transport = reach(phone)
    transport.run(["true"], timeout_s=TIMEOUT_S)
    phone.silence()
    with pytest.raises(DeviceTimeoutError, match=r"^pixel: expected 'true' to finish within 0.5 s, got no end"):
        transport.run(["true"], timeout_s=0.5)

    phone.speak()
    assert transport.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def test_a_phone_that_falls_silent_in_the_middle_is_given_up_in_time(phone, reach, data):
    transport = reach(phone)

    def silence():
        while not (data / "started").exists():
            time.sleep(0.01)
        phone.silence()

    thread = threading.Thread(target=silence)
    thread.start()
    with pytest.raises(DeviceTimeoutError):
        transport.run(["sh", "-c", "touch /data/local/tmp/started; sleep 30"], timeout_s=2)
    thread.join()

    phone.speak()
    assert transport.run(["echo", "back"], timeout_s=TIMEOUT_S).stdout == b"back\n"


def test_closing_from_another_thread_ends_the_call(today, data):
    def close():
        while not (data / "started").exists():
            time.sleep(0.01)
        today.close()

    thread = threading.Thread(target=close)
    thread.start()
    with pytest.raises(TransportError, match=r"it was lost \(the connection was closed\)"):
        today.run(["sh", "-c", "touch /data/local/tmp/started; sleep 30"], timeout_s=TIMEOUT_S)
    thread.join()
    today.close()
    today.close()


def test_the_kernel_notices_a_silent_cut_within_15_s(phone):
    """Tried with a cable that was pulled: 13.4 s. It takes a network of its own, so here is what the kernel is told."""
    with contextlib.closing(TcpWire(phone.host, phone.port, TIMEOUT_S)) as wire:
        idle, interval, count, unacknowledged_ms = (
            wire._in.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        )
        assert wire._in.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert wire._in.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1

    assert idle + interval * count < 15
    assert unacknowledged_ms < 15_000
