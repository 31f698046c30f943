"""The way to a host: through jump hosts and commands, and what is said where it is blocked."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh_host_keys import UnknownHostKeyError
from tests.devices.sshd import Sshd, free_port
from tests.transports.ssh_client import Client, block, client_in

TIMEOUT_S = 60.0
# What `nc HOST PORT` does, for a ProxyCommand.
RELAY = """\
import os, select, socket, sys
open(sys.argv[3], "w").write(str(os.getpid()))
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])))
while True:
    for source in select.select([0, peer], [], [])[0]:
        data = os.read(0, 65536) if source == 0 else peer.recv(65536)
        if not data:
            sys.exit()
        peer.sendall(data) if source == 0 else os.write(1, data)
"""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Sshd]]:
    """The target, and two hosts on the way to it."""
    folder = tmp_path_factory.mktemp("servers")
    with Sshd(folder / "target") as target, Sshd(folder / "near") as near, Sshd(folder / "far") as far:
        yield [target, near, far]


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


def echo(client: Client, host: str = "board") -> bytes:
    with client.transport(host) as transport:
        return transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout


def test_a_chain_of_jump_hosts_leads_to_the_target(client, servers, tmp_path):
    target, near, far = servers
    client.trust(target, near, far)
    client.configure(block("board", target, "ProxyJump near,far") + block("near", near) + block("far", far))
    (tmp_path / "data").write_bytes(os.urandom(5 << 20))

    with client.transport() as transport, (tmp_path / "data").open("rb") as data:
        assert transport.run(["cat"], timeout_s=TIMEOUT_S, stdin=data).stdout == (tmp_path / "data").read_bytes()

    assert "Accepted publickey" in near.log()
    assert "Accepted publickey" in far.log()


def test_the_host_key_of_every_hop_is_checked(client, servers):
    target, near, far = servers
    client.configure(block("board", target, "ProxyJump near,far") + block("near", near) + block("far", far))

    for server in (near, far, target):
        with pytest.raises(UnknownHostKeyError) as caught:
            echo(client)
        assert caught.value.port == server.port
        client.trust(server)
    assert echo(client) == b"on\n"


def test_what_a_jump_host_cannot_reach_is_told(client, servers):
    _, near, _ = servers
    client.trust(near)
    client.configure(f"Host board\n HostName 127.0.0.1\n Port {free_port()}\n ProxyJump near\n" + block("near", near))

    with pytest.raises(
        TransportError, match=rf"a way from {near.user}@127.0.0.1:{near.port} to 127.0.0.1:\d+, got a ref"
    ):
        echo(client)


def test_a_jump_host_that_forwards_nothing_is_told(client, servers, tmp_path):
    with Sshd(tmp_path / "closed", ["AllowTcpForwarding no"]) as closed:
        client.trust(closed)
        client.configure(block("board", servers[0], "ProxyJump closed") + block("closed", closed))

        with pytest.raises(TransportError, match=r"got a refusal .* AllowTcpForwarding"):
            echo(client)


def test_a_proxy_command_is_the_way_and_ends_with_it(client, servers, tmp_path):
    target = servers[0]
    (tmp_path / "relay.py").write_text(RELAY)
    client.trust(target)
    command = f"ProxyCommand {sys.executable} {tmp_path}/relay.py %h %p {tmp_path}/pid"
    client.configure(block("board", target, command))

    assert echo(client) == b"on\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_proxy_command_that_dies_is_a_lost_connection(client, servers, tmp_path):
    target = servers[0]
    (tmp_path / "relay.py").write_text(RELAY)
    client.trust(target)
    client.configure(block("board", target, f"ProxyCommand {sys.executable} {tmp_path}/relay.py %h %p {tmp_path}/pid"))
    with client.transport() as transport:
        assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"
        relay = int((tmp_path / "pid").read_text())
        threading.Timer(1, os.kill, (relay, signal.SIGKILL)).start()

        with pytest.raises(TransportError, match="expected the connection to last while running 'sleep'"):
            transport.run(["sleep", "1000"], timeout_s=TIMEOUT_S)
        assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


def test_a_proxy_command_that_cannot_start_is_told(client, servers):
    client.configure(block("board", servers[0], "ProxyCommand /no/such/program"))

    with pytest.raises(TransportError, match="kitchen-pi: expected to connect to"):
        echo(client)


def test_a_host_name_that_nobody_has_is_told(client):
    client.configure("")

    with pytest.raises(
        TransportError, match=r"kitchen-pi: expected to connect to .*@no-such-board.invalid:22 .* no such host"
    ):
        echo(client, "no-such-board.invalid")


def test_a_port_that_nobody_listens_at_is_told(client):
    client.configure(f"Host board\n HostName 127.0.0.1\n Port {free_port()}\n")

    with pytest.raises(TransportError, match=r"got: connection refused. Start the SSH server there"):
        echo(client)


def test_a_server_of_another_kind_is_told(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 \x1b[31mBad Request\r\n" * 200)
                connection.recv(100)

        thread = threading.Thread(target=serve)
        thread.start()
        client.configure(f"Host board\n HostName 127.0.0.1\n Port {port}\n")
        with pytest.raises(TransportError, match="Is it an SSH server at that port") as caught:
            echo(client)
        thread.join()

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


def test_a_server_that_hangs_up_at_once_is_told(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        thread = threading.Thread(target=lambda: listener.accept()[0].close())
        thread.start()
        client.configure(f"Host board\n HostName 127.0.0.1\n Port {port}\n")
        with pytest.raises(TransportError, match=r"got: no greeting of an SSH server. Is it an SSH server"):
            echo(client)
        thread.join()


def test_a_server_without_a_common_algorithm_is_told(client, tmp_path):
    with (
        Sshd(tmp_path / "old", ["KexAlgorithms diffie-hellman-group1-sha1"]) as server,
        pytest.raises(TransportError, match=r"no common algorithm .* up to date"),
    ):
        echo_reaching(client, server)


def echo_reaching(client: Client, server: Sshd) -> bytes:
    with client.reach(server) as transport:
        return transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout


def test_nothing_is_left_of_a_failed_attempt(client, servers):
    """Neither a thread nor a socket, also of the hops before."""
    target, near, far = servers
    client.trust(near, far)
    client.configure(block("board", target, "ProxyJump near,far") + block("near", near) + block("far", far))
    before = (threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))

    for _ in range(3):
        with pytest.raises(UnknownHostKeyError):
            echo(client)

    deadline = time.monotonic() + 20
    while (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) > before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
