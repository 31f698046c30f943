"""The way to a phone, and what is in it."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports import adb_direct
from pocketbench.harness.transports.adb import phone_by_network, phone_by_serial
from pocketbench.harness.transports.adb_server import AdbServer, ListedPhone
from tests.devices.phone import Phone
from tests.devices.sshd import free_port

TIMEOUT_S = 60.0


@pytest.fixture
def short_waits(monkeypatch):
    monkeypatch.setattr(adb_direct, "_ANSWER_TIMEOUT_S", 1.0)
    monkeypatch.setattr(adb_direct, "_TRUST_TIMEOUT_S", 1.0)


@contextlib.contextmanager
def saying(answer: bytes) -> Iterator[int]:
    """A port where something else than adbd says `answer` and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    opened, _ = listener.accept()
                    with opened:
                        opened.recv(100)
                        opened.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_without_a_server_the_way_is_direct(phone, reach):
    assert reach(phone).way() == "directly over TCP"
    assert reach(phone).address == f"adb+tcp://127.0.0.1:{phone.port}"


def test_a_server_that_knows_the_phone_is_the_way(phone, reach, adb_server):
    adb_server.connect(phone.host, phone.port)

    assert reach(phone).way() == f"through the adb server at 127.0.0.1:{adb_server.port}"


def test_a_server_that_does_not_know_the_phone_is_passed_by(phone, reach, adb_server):
    assert reach(phone).way() == "directly over TCP"


def test_a_serial_that_the_server_knows_is_reached_through_it(phone, adb_server):
    serial = adb_server.connect(phone.host, phone.port)

    with phone_by_serial("pixel", serial, say=print) as transport:
        assert transport.address == f"adb://{serial}"
        assert transport.run(["echo", "hi"], timeout_s=TIMEOUT_S).stdout == b"hi\n"
        assert transport.way().startswith("through the adb server")


def test_the_way_is_chosen_anew_after_a_break(phone, reach, adb_server):
    transport = reach(phone)
    assert transport.way() == "directly over TCP"
    adb_server.connect(phone.host, phone.port)
    transport.close()

    assert transport.way().startswith("through the adb server")

    adb_server.stop()
    with pytest.raises(TransportError, match=r"it was lost \(the adb server at .* is gone\)"):
        transport.run(["true"], timeout_s=TIMEOUT_S)
    assert transport.run(["echo", "hi"], timeout_s=TIMEOUT_S).stdout == b"hi\n"
    assert transport.way() == "directly over TCP"


def test_a_trusted_key_is_not_asked_about(tmp_path, reach):
    with Phone(tmp_path / "phone", trusts_all=False, accept_on_try=1) as phone:
        reach(phone).way()
        assert len(phone.offered) == 1

        assert reach(phone).run(["echo", "hi"], timeout_s=TIMEOUT_S).stdout == b"hi\n"
        assert len(phone.offered) == 1


def test_the_user_is_told_to_tap_and_is_waited_for(tmp_path, no_adb_server):
    with Phone(tmp_path / "phone", trusts_all=False) as phone:
        said: list[str] = []

        def tap(text: str) -> None:
            said.append(text)
            while not phone.offered:
                time.sleep(0.01)
            phone.accept()

        with phone_by_network(
            "pixel", phone.host, phone.port, say=tap, android_directory=tmp_path / "android"
        ) as transport:
            assert transport.run(["echo", "hi"], timeout_s=TIMEOUT_S).stdout == b"hi\n"

    assert said == ["pixel: accept the dialog 'Allow USB debugging?' on the phone's screen."]


UNAUTHORIZED = r"^pixel: expected a phone that is ready, got: it does not trust this computer yet\. Unlock the phone"


def test_a_phone_that_is_not_told_to_trust_us_is_named(tmp_path, reach, short_waits):
    with Phone(tmp_path / "phone", trusts_all=False) as phone, pytest.raises(TransportError, match=UNAUTHORIZED):
        reach(phone).run(["true"], timeout_s=TIMEOUT_S)


def test_a_phone_that_does_not_trust_the_server_is_named(tmp_path, reach, adb_server):
    with Phone(tmp_path / "phone", trusts_all=False) as phone:
        adb_server.connect(phone.host, phone.port)
        transport = reach(phone)

        with pytest.raises(TransportError, match=UNAUTHORIZED):
            transport.run(["true"], timeout_s=TIMEOUT_S)

        while not phone.offered:  # the server asks by itself, some time after it was told to connect
            time.sleep(0.01)
        phone.accept()
        adb_server.run("-s", f"{phone.host}:{phone.port}", "wait-for-device")
        assert transport.run(["echo", "hi"], timeout_s=TIMEOUT_S).stdout == b"hi\n"


OFFLINE = r"^pixel: expected a phone that is ready, got: it is offline, .*\. Switch USB debugging off and on"


def test_a_phone_that_does_not_answer_is_offline(phone, reach, short_waits):
    phone.go_offline()
    transport = reach(phone)
    with pytest.raises(TransportError, match=OFFLINE):
        transport.run(["true"], timeout_s=TIMEOUT_S)

    phone.go_online()
    assert transport.run(["true"], timeout_s=TIMEOUT_S).exit_code == 0


def test_a_phone_that_the_server_lost_is_offline(phone, adb_server):
    serial = adb_server.connect(phone.host, phone.port)
    phone.go_offline()
    adb_server.run("-s", serial, "wait-for-any-disconnect")

    with phone_by_serial("pixel", serial, say=print) as transport, pytest.raises(TransportError, match=OFFLINE):
        transport.run(["true"], timeout_s=TIMEOUT_S)


@pytest.mark.parametrize("state", ["recovery", "sideload", "bootloader", "rescue", "zombie"])
def test_a_phone_that_runs_something_else_is_named(tmp_path, reach, state):
    ready = r"^pixel: expected a phone that is ready, got: it"
    with Phone(tmp_path / "phone", state=state) as phone, pytest.raises(TransportError, match=ready) as caught:
        reach(phone).run(["true"], timeout_s=TIMEOUT_S)

    assert "screen" in str(caught.value) or "'zombie'" in str(caught.value)


def test_wireless_debugging_with_tls_is_sent_to_adb(tmp_path, reach):
    words = r"^pixel: .* wireless debugging .* TLS: pair once with `adb pair"
    with Phone(tmp_path / "phone", tls_only=True) as phone, pytest.raises(TransportError, match=words):
        reach(phone).run(["true"], timeout_s=TIMEOUT_S)


def test_nobody_at_the_port_is_named(phone, reach):
    phone.unplug()

    with pytest.raises(
        TransportError, match=rf"^pixel: expected to connect to 127.0.0.1:{phone.port} by ADB, got: conn"
    ):
        reach(phone).run(["true"], timeout_s=TIMEOUT_S)


def test_an_unknown_host_is_named(no_adb_server, tmp_path):
    transport = phone_by_network("pixel", "phone.invalid", None, say=print, android_directory=tmp_path)

    with pytest.raises(TransportError, match=r"^pixel: expected to connect to phone.invalid:5555 by ADB, got: no such"):
        transport.run(["true"], timeout_s=TIMEOUT_S)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", "what is no message of ADB", id="ssh"),
        pytest.param(b"", "the end of the connection", id="nothing"),
        pytest.param(b"CNXN", "the end of the connection", id="half-a-message"),
        pytest.param(b"CNXN" + b"\xff" * 16 + bytes(byte ^ 255 for byte in b"CNXN"), "4294967295 bytes", id="endless"),
        pytest.param(b"CNXN" + bytes(16) + bytes(byte ^ 255 for byte in b"CNXN"), "is 'unknown'", id="no-banner"),
    ],
)
def test_something_else_at_the_port_is_named(no_adb_server, tmp_path, answer, words):
    with saying(answer) as port:
        transport = phone_by_network("pixel", "127.0.0.1", port, say=print, android_directory=tmp_path)
        with pytest.raises(TransportError, match=f"^pixel: .*{re.escape(words)}"):
            transport.run(["true"], timeout_s=TIMEOUT_S)


def test_a_serial_that_is_nowhere_is_told_with_what_is_there(phone, adb_server):
    pytest.importorskip("usb1")
    serial = adb_server.connect(phone.host, phone.port)

    with pytest.raises(TransportError) as caught:
        phone_by_serial("pixel", "NOSUCH1", say=print).run(["true"], timeout_s=TIMEOUT_S)

    assert f"expected the phone NOSUCH1 on the adb server at 127.0.0.1:{adb_server.port} and the USB bus, got: " in str(
        caught.value
    )
    assert f"{serial} (device)" in str(caught.value)


def test_a_serial_that_is_a_place_is_told_its_address(no_adb_server):
    pytest.importorskip("usb1")
    with pytest.raises(TransportError, match=r"its address is adb\+tcp://192\.0\.2\.1:5555\."):
        phone_by_serial("pixel", "192.0.2.1:5555", say=print).run(["true"], timeout_s=TIMEOUT_S)


def test_one_of_several_phones_is_reached_by_its_own_address(phone, tmp_path, reach, adb_server):
    with Phone(tmp_path / "second") as second:
        for one in (phone, second):
            adb_server.connect(one.host, one.port)
            (one.data / "name").write_text(one.folder.name)

        names = [reach(one).run(["cat", "/data/local/tmp/name"], timeout_s=TIMEOUT_S).stdout for one in (second, phone)]

    assert names == [b"second", b"phone"]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b"", b"FAIL0003who", b"OKAYzzzz"])
def test_something_else_than_an_adb_server_is_named(no_adb_server, monkeypatch, tmp_path, answer):
    with saying(answer) as port:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        with pytest.raises(TransportError, match=rf"^pixel: expected an adb server at 127.0.0.1:{port}, got no answer"):
            phone_by_serial("pixel", "A1", say=print).run(["true"], timeout_s=TIMEOUT_S)


@pytest.mark.parametrize("port", ["0", "65536", "x", "", "-1"])
def test_a_port_that_is_none_is_refused(monkeypatch, port):
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", port)

    with pytest.raises(InputError, match="expected a port from 1 to 65535 in ANDROID_ADB_SERVER_PORT"):
        AdbServer.from_environment()


def test_the_list_of_a_server_is_read_with_states_of_several_words():
    # `adb devices -l` of adb 36 and 29.
    lines = (
        b"8A1X0ABCD              device usb:1-2 product:panther model:Pixel_7 device:panther transport_id:1\n"
        b"0123456789ABCDEF       no permissions (user in plugdev group; are your udev rules wrong?); see [http://x]\n"
        b"192.168.1.5:5555       offline transport_id:4\n"
        b"emulator-5554          unauthorized transport_id:3\n"
        b"adb-8A1X-x0y1z2._adb-tls-connect._tcp device product:a model:b device:c transport_id:9\n"
        b"\n\x1b[2J\n"
    )
    with saying(b"OKAY%04x" % len(lines) + lines) as port:
        listed = AdbServer("127.0.0.1", port).devices()

    assert listed == [
        ListedPhone("8A1X0ABCD", "device"),
        ListedPhone("0123456789ABCDEF", "no permissions"),
        ListedPhone("192.168.1.5:5555", "offline"),
        ListedPhone("emulator-5554", "unauthorized"),
        ListedPhone("adb-8A1X-x0y1z2._adb-tls-connect._tcp", "device"),
    ]
    assert AdbServer("127.0.0.1", free_port()).devices() is None


@pytest.mark.parametrize(
    ("state", "words"),
    [
        pytest.param(b"no permissions (missing udev rules?)", "Install the udev rules", id="no-permissions"),
        pytest.param(b"authorizing", "Accept the dialog", id="authorizing"),
        pytest.param(b"connecting", "its state is 'connecting'", id="connecting"),
    ],
)
def test_every_state_of_a_server_gets_its_sentence(no_adb_server, monkeypatch, state, words):
    line = b"A1 " + state + b"\n"
    with saying(b"OKAY%04x" % len(line) + line) as port:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        with pytest.raises(TransportError, match=rf"^pixel: expected a phone that is ready, got: .*{words}"):
            phone_by_serial("pixel", "A1", say=print).run(["true"], timeout_s=TIMEOUT_S)


def test_two_phones_with_one_serial_are_named(no_adb_server, monkeypatch):
    lines = b"0123456789ABCDEF device usb:1-1\n0123456789ABCDEF device usb:1-2\n"
    with saying(b"OKAY%04x" % len(lines) + lines) as port:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        with pytest.raises(TransportError, match=r"expected one phone with the serial 0123456789ABCDEF, got several"):
            phone_by_serial("pixel", "0123456789ABCDEF", say=print).run(["true"], timeout_s=TIMEOUT_S)


def test_the_way_in_imports_nothing_heavy():
    code = (
        "import sys; import pocketbench.harness.transports.adb; print('usb1' in sys.modules, 'adbutils' in sys.modules)"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}

    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert said.stdout == "False False\n"
