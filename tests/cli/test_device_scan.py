"""`pocketbench device scan`: a phone at Google's adb server, boards that announce themselves, a terminal with keys."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result
from zeroconf import ServiceInfo, Zeroconf

from pocketbench.checked.errors import InputError
from pocketbench.harness.cli.main import app
from pocketbench.harness.devices import scan, scan_network
from pocketbench.harness.devices.mdns import ADB_PLAIN, ADB_TLS, SSH
from tests.cli.terminal import Terminal
from tests.devices.adb_server import AdbProgram
from tests.devices.phone import Phone
from tests.devices.sshd import Sshd, free_port

pytestmark = pytest.mark.alone

LOOPBACK = ["127.0.0.1"]
LISTEN_S = "3"
# The command line as it is, but for the network: only loopback is listened to.
PREPARE = f"""
from pocketbench.harness.devices import scan, scan_network
listen = scan.listen
scan.listen = lambda duration_s, _: listen(duration_s, {LOOPBACK})
"""

CommandLine = Callable[..., Result]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has nothing, on a computer without an adb server, in a network that is only loopback."""
    home = tmp_path / "user"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("POCKETBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(free_port()))
    for name in ("SSH_AUTH_SOCK", "ANDROID_ADB_SERVER_ADDRESS", "ADB_VENDOR_KEYS"):
        monkeypatch.delenv(name, raising=False)
    listen = scan_network.listen
    monkeypatch.setattr(scan, "listen", lambda duration_s, _: listen(duration_s, LOOPBACK))
    return home


@pytest.fixture
def pocketbench() -> CommandLine:
    """Run in this process, without a terminal."""
    return lambda *argv: CliRunner().invoke(app, list(map(str, argv)), catch_exceptions=False)


@pytest.fixture
def adb_server(tmp_path: Path, user: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AdbProgram]:
    with AdbProgram(tmp_path / "adb") as adb:
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(adb.port))
        yield adb


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    with Phone(tmp_path / "phone") as phone:
        yield phone


@pytest.fixture
def board(tmp_path: Path, user: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path / "board") as server:
        (user / ".ssh/config").write_text(f"Host *\n  IdentityFile {server.key_file}\n  GlobalKnownHostsFile none\n")
        yield server


@pytest.fixture
def announce() -> Iterator[Callable[[str, str, int], None]]:
    responder = Zeroconf(interfaces=LOOPBACK)

    def announce(service: str, name: str, port: int) -> None:
        addresses = [socket.inet_aton("127.0.0.1")]
        responder.register_service(
            ServiceInfo(service, f"{name}.{service}", addresses=addresses, port=port, server="pocketbench-test.local.")
        )

    yield announce
    responder.close()


def scanned(result: Result) -> list[dict[str, Any]]:
    devices = json.loads(result.stdout)["devices"]
    assert isinstance(devices, list)
    return devices


def terminal_of(*argv: str) -> Terminal:
    return Terminal(*argv, prepare=PREPARE)


def registered(pocketbench: CommandLine) -> dict[str, str]:
    return {row["name"]: row["address"] for row in json.loads(pocketbench("device", "list", "--json").stdout)}


@pytest.mark.slow
def test_a_phone_of_the_server_is_listed_once_registered_and_then_marked(
    pocketbench: CommandLine, adb_server: AdbProgram, phone: Phone, announce
):
    adb_server.connect(phone.host, phone.port)
    announce(ADB_PLAIN, "adb-EMU1", phone.port)
    address = f"adb+tcp://127.0.0.1:{phone.port}"

    (row,) = scanned(pocketbench("device", "scan", "--json", "--timeout", LISTEN_S))
    assert (row["address"], row["registered"]) == (address, [])
    assert row["found_by"] == ["adb server", "mDNS _adb._tcp"]
    assert row["to_do"] == f"pocketbench device add {address} --name {row['name']}"

    added = pocketbench("device", "scan", "--add", "--timeout", LISTEN_S)
    assert added.exit_code == 0
    assert f"registered {row['name']} at {address}: android-x86_64" in added.stdout
    assert registered(pocketbench)[row["name"]] == address

    (again,) = scanned(pocketbench("device", "scan", "--add", "--json", "--timeout", LISTEN_S))
    assert (again["registered"], again["to_do"], again["name"]) == ([row["name"]], None, None)


def test_a_phone_that_does_not_trust_us_yet_is_told_apart_and_not_tried(
    pocketbench: CommandLine, adb_server: AdbProgram, phone: Phone
):
    phone.trusts_all = False
    adb_server.connect(phone.host, phone.port)

    result = pocketbench("device", "scan", "--add", "--timeout", "0.1")

    assert result.exit_code == 0
    assert "accept the dialog 'Allow USB debugging?' on its screen" in result.stdout
    assert list(registered(pocketbench)) == ["local"]


def test_a_failure_stops_no_other_and_is_told_by_the_exit_code(pocketbench: CommandLine, phone: Phone, announce):
    gone = free_port()
    announce(ADB_PLAIN, "adb-GONE", gone)
    announce(ADB_PLAIN, "adb-EMU1", phone.port)
    announce(ADB_TLS, "adb-TLS1-x7k2Lq", 37123)

    result = pocketbench("device", "scan", "--add", "--timeout", LISTEN_S)

    assert result.exit_code == 3
    assert registered(pocketbench) == {"local": "local:", "emu1": f"adb+tcp://127.0.0.1:{phone.port}"}
    assert f"expected to connect to 127.0.0.1:{gone} by ADB, got: connection refused" in result.stderr
    assert "`adb pair HOST:PORT`" in result.stdout


def test_a_board_is_never_trusted_without_a_word(pocketbench: CommandLine, board: Sshd, announce):
    announce(SSH, "x'; $(reboot)", board.port)
    before = board.log()

    result = pocketbench("device", "scan", "--add", "--timeout", LISTEN_S)

    assert result.exit_code == 0
    assert (
        f"pocketbench device add ssh://127.0.0.1:{board.port} --name pocketbench-test --fingerprint SHA256:…"
        in result.stdout.splitlines()
    )
    assert list(registered(pocketbench)) == ["local"]
    assert board.log() == before


def test_nothing_found_and_bad_input_have_their_sentences(pocketbench: CommandLine, tmp_path: Path):
    assert "plug a phone in" in pocketbench("device", "scan", "--timeout", "0.1").stdout
    assert pocketbench("device", "scan", "--timeout", "-1").exit_code == 2

    pocketbench("device", "add", "local:", "--name", "pc", "--directory", tmp_path)
    (row,) = scanned(pocketbench("device", "scan", "--json", "--timeout", "0.1"))
    assert (row["registered"], row["found_by"]) == (["pc"], [])
    (tmp_path / "home/devices.yaml").write_text("version: 7\n")
    result = pocketbench("device", "scan", "--timeout", "0.1")
    assert "registry: " in result.stderr
    assert result.exit_code == 0
    with pytest.raises(InputError, match="version"):
        pocketbench("device", "list")


def test_a_phone_is_registered_with_one_key_and_a_name_of_choice(
    pocketbench: CommandLine, adb_server: AdbProgram, phone: Phone
):
    serial = adb_server.connect(phone.host, phone.port)

    with terminal_of("device", "scan", "--timeout", "0.1") as terminal:
        terminal.expect(f"Register 1, adb+tcp://{serial}? (y, n, another number, q) ")
        terminal.press("x")
        terminal.expect(f"Register 1, adb+tcp://{serial}?")
        terminal.press("\x1b[A")
        terminal.expect(f"Register 1, adb+tcp://{serial}?")
        terminal.press("y")
        terminal.expect("Name [")
        terminal.type("no spaces\n")
        terminal.expect("Error: expected a device name")
        terminal.expect("Name [")
        terminal.type("my-phone\n")
        terminal.expect(f"registered my-phone at adb+tcp://{serial}: android-x86_64")
        assert terminal.end() == 0

    assert registered(pocketbench) == {"local": "local:", "my-phone": f"adb+tcp://{serial}"}


@pytest.mark.slow
def test_a_number_takes_another_first_and_a_failure_is_not_the_end(
    pocketbench: CommandLine, board: Sshd, phone: Phone, announce
):
    gone = free_port()
    announce(ADB_PLAIN, "adb-GONE", gone)
    announce(SSH, "kitchen", board.port)

    with terminal_of("device", "scan", "--timeout", LISTEN_S) as terminal:
        terminal.expect(f"Register 1, adb+tcp://127.0.0.1:{gone}?")
        terminal.press("2")
        terminal.expect("Name [pocketbench-test]: ")
        terminal.type("\n")
        terminal.expect("User there")
        terminal.type("-oProxyCommand=x\n")
        terminal.expect("Error: expected an address")
        terminal.expect("User there")
        terminal.type(f"{board.user}\n")
        terminal.expect("Is this the key of your device?")
        terminal.type("y\n")
        terminal.expect("registered pocketbench-test at ssh://")
        terminal.expect("Register 1, ")
        terminal.press("y")
        terminal.expect("Name [gone]: ")
        terminal.type("\n")
        terminal.expect("connection refused")
        assert terminal.end() == 3

    assert registered(pocketbench) == {
        "local": "local:",
        "pocketbench-test": f"ssh://{board.user}@127.0.0.1:{board.port}",
    }


@pytest.mark.parametrize(("answer", "code", "names"), [("n", 3, ["local"]), ("y", 0, ["local", "pocketbench-test"])])
def test_without_asking_the_key_of_a_board_is_still_asked_about(
    answer: str, code: int, names: list[str], pocketbench: CommandLine, board: Sshd, announce
):
    announce(SSH, "kitchen", board.port)

    with terminal_of("device", "scan", "--add", "--timeout", LISTEN_S) as terminal:
        terminal.expect("Is this the key of your device?")
        terminal.type(f"{answer}\n")
        assert terminal.end() == code

    assert list(registered(pocketbench)) == names


@pytest.fixture
def listing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """What makes a server list so many phones, and end every other conversation."""
    text = ""
    listener = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(listener.getsockname()[1]))

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection:
                request = connection.recv(4096)
                if not request:
                    return
                if request.endswith(b"host:devices-l"):
                    connection.sendall(b"OKAY%04x%s" % (len(text), text.encode()))

    def set_listing(phones: int) -> None:
        nonlocal text
        text = "".join(f"A{number:02} device model:Model_{number}\n" for number in range(1, phones + 1))

    thread = threading.Thread(target=serve)
    thread.start()
    yield set_listing
    socket.create_connection(listener.getsockname()).close()
    thread.join()
    listener.close()


@pytest.mark.parametrize(("keys", "code"), [(["q"], 0), (["\x04"], 0), (["n", "n"], 0), (["\x03"], 130)])
def test_leaving_registers_nothing(keys: list[str], code: int, pocketbench: CommandLine, listing):
    listing(2)

    with terminal_of("device", "scan", "--timeout", "0.1") as terminal:
        for number, key in enumerate(keys, start=1):
            terminal.expect(f"Register {number}, adb://A0{number}?")
            terminal.press(key)
        assert terminal.end() == code

    assert list(registered(pocketbench)) == ["local"]


def test_of_more_than_nine_devices_each_can_be_chosen(listing):
    listing(11)

    with terminal_of("device", "scan", "--timeout", "0.1") as terminal:
        terminal.expect("Register 1, ")
        terminal.type("12\n")
        terminal.expect("Register 1, ")
        terminal.type("11\n")
        terminal.expect("Name [model-11]: ")
        terminal.type("eleven\n")
        terminal.expect("pocketbench: eleven: expected the connection to last")
        terminal.expect("Register 1, ")
        terminal.type("q\n")
        assert terminal.end() == 3


def test_ctrl_c_while_it_listens_ends_it_at_once():
    with terminal_of("device", "scan", "--timeout", "600") as terminal:
        terminal.expect("looking for phones and boards")
        terminal.interrupt()
        assert terminal.end() == 130
