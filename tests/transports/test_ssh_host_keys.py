"""Only a host whose key is known is talked to; what is known is read as ssh reads it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh_host_keys import (
    ChangedHostKeyError,
    HostKeyError,
    RevokedHostKeyError,
    UnknownHostKeyError,
    find_known_keys,
    own_known_hosts,
    trust_host_key,
)
from tests.devices.sshd import Sshd
from tests.transports.ssh_client import Client, block, client_in

TIMEOUT_S = 60.0
TYPES = ("ed25519", "rsa", "ecdsa")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd"), key_types=TYPES) as server:
        yield server


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Sshd) -> Client:
    client = client_in(tmp_path / "user", monkeypatch)
    client.configure(block("board", server))
    return client


def run(client: Client) -> bytes:
    with client.transport() as transport:
        return transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout


def fingerprint(line: str, tmp_path: Path) -> str:
    """As ssh-keygen prints it."""
    (tmp_path / "line").write_text(line.split(None, 1)[1])
    return subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "line"], capture_output=True, text=True, check=True
    ).stdout.split()[1]


def test_an_unknown_host_is_refused_until_the_user_has_confirmed_its_key(client, server, tmp_path):
    with pytest.raises(UnknownHostKeyError, match="kitchen-pi: expected a host key that is known") as caught:
        run(client)

    error = caught.value
    assert (error.host, error.port, error.key.key_type) == (server.host, server.port, "ssh-ed25519")
    assert error.key.fingerprint == fingerprint(server.known_hosts_line(), tmp_path)
    assert error.key.fingerprint in str(error)
    assert "`pocketbench device add`" in str(error)
    assert "Accepted" not in server.log()

    trust_host_key(client.home, error.name, error.key)

    assert run(client) == b"on\n"
    assert own_known_hosts(client.home).read_text() == server.known_hosts_line()
    assert own_known_hosts(client.home).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("index", [pytest.param(i, id=name) for i, name in enumerate(TYPES)])
def test_a_key_of_any_type_in_the_users_own_file_will_do(client, server, index):
    """The server has three: it is asked for the one that is known, else it would show another."""
    client.known_hosts.write_text(server.known_hosts_line(index))

    assert run(client) == b"on\n"
    assert not own_known_hosts(client.home).exists()


def test_a_hashed_entry_is_found(client, server):
    client.known_hosts.write_text(server.known_hosts_line())
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", client.known_hosts], check=True, capture_output=True)
    assert server.host not in client.known_hosts.read_text()

    assert run(client) == b"on\n"


def test_another_port_is_another_host(client, server):
    client.known_hosts.write_text(server.known_hosts_line().replace(f":{server.port}", ":1"))

    with pytest.raises(UnknownHostKeyError):
        run(client)


def test_a_changed_key_is_refused_with_both_fingerprints_and_the_line(tmp_path, monkeypatch):
    client = client_in(tmp_path / "user", monkeypatch)
    with Sshd(tmp_path / "sshd") as server:
        client.configure(block("board", server))
        client.known_hosts.write_text(f"# mine\n{server.known_hosts_line()}")
        old = fingerprint(server.known_hosts_line(), tmp_path)
        server.stop()
        server.new_host_key()
        server.start()

        with pytest.raises(ChangedHostKeyError) as caught:
            run(client)

        text = str(caught.value)
        assert text.startswith(f"kitchen-pi: expected the host key ssh-ed25519 {old} from [127.0.0.1]:{server.port}")
        assert f"({client.known_hosts}:2)" in text
        assert fingerprint(server.known_hosts_line(), tmp_path) in text
        assert f"ssh-keygen -f {client.known_hosts} -R '[127.0.0.1]:{server.port}'" in text
        assert "Accepted" not in server.log()


def test_a_host_that_shows_only_another_type_than_the_known_one_has_changed(tmp_path, monkeypatch, server):
    client = client_in(tmp_path / "user", monkeypatch)
    with Sshd(tmp_path / "sshd", key_types=["rsa"]) as other:
        client.configure(block("board", other))
        client.known_hosts.write_text(server.known_hosts_line().replace(f":{server.port}", f":{other.port}"))

        with pytest.raises(ChangedHostKeyError, match=r"expected the host key ssh-ed25519 .* got ssh-rsa SHA256:"):
            run(client)


def test_a_revoked_key_is_refused_even_where_it_is_known(client, server):
    line = server.known_hosts_line()
    client.trust(server)
    client.known_hosts.write_text(f"@revoked * {line.split(None, 1)[1]}")

    with pytest.raises(RevokedHostKeyError, match=f"{client.known_hosts}:1 marks as @revoked"):
        run(client)


def test_a_certificate_authority_is_not_taken_for_the_host(client, server):
    client.known_hosts.write_text(f"@cert-authority {server.known_hosts_line()}")

    with pytest.raises(UnknownHostKeyError, match=r"known_hosts:1 trusts a certificate authority .* cannot check"):
        run(client)


def test_strict_host_key_checking_cannot_be_switched_off(client, server):
    client.configure("Host *\n  StrictHostKeyChecking no\n" + block("board", server))

    with pytest.raises(UnknownHostKeyError):
        run(client)


def test_a_host_key_alias_is_the_name_that_is_looked_up(client, server):
    client.configure(block("board", server, "HostKeyAlias workshop"))
    client.known_hosts.write_text("workshop " + server.known_hosts_line().split(None, 1)[1])

    assert run(client) == b"on\n"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("kitchen.local", True),
        ("KITCHEN.local", True),
        ("other,kitchen.local", True),
        ("*.local", True),
        ("kitchen.loca?", True),
        ("*.local,!kitchen.local", False),
        ("!kitchen.local,*.local", False),
        ("kitchen", False),
        ("[kitchen.local]:22", False),
        ("|1|AAAA", False),
        ("|1|not base64|AAAA", False),
    ],
)
def test_names_are_matched_as_ssh_matches_them(tmp_path, names, found):
    (tmp_path / "known").write_text(f"{names} ssh-ed25519 AAAA comment\n")

    assert bool(find_known_keys([tmp_path / "known"], "kitchen.local")) is found


@pytest.mark.parametrize(
    "line",
    [
        "",
        "#",
        "# kitchen ssh-ed25519 AAAA",
        "kitchen",
        "kitchen ssh-ed25519",
        "kitchen ssh-ed25519 %%%",
        "@odd kitchen x AAAA",
    ],
)
def test_a_line_that_makes_no_sense_vouches_for_nobody(tmp_path, line):
    (tmp_path / "known").write_bytes(line.encode() + b"\n\xff\xfe\0\n")

    assert find_known_keys([tmp_path / "known", tmp_path / "missing"], "kitchen") == []


def test_a_key_is_added_on_a_line_of_its_own(tmp_path):
    own_known_hosts(tmp_path).write_text("torn")
    (tmp_path / "other").write_text("kitchen ssh-ed25519 AAAA\n")
    (known,) = find_known_keys([tmp_path / "other"], "kitchen")

    trust_host_key(tmp_path, "kitchen", known.key)
    trust_host_key(tmp_path, "pantry", known.key)

    assert own_known_hosts(tmp_path).read_text() == "torn\nkitchen ssh-ed25519 AAAA\npantry ssh-ed25519 AAAA\n"


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    own_known_hosts(tmp_path).mkdir()
    (tmp_path / "other").write_text("kitchen ssh-ed25519 AAAA\n")
    (known,) = find_known_keys([tmp_path / "other"], "kitchen")

    with pytest.raises(InputError, match=r"expected to write the host key to .*, got Is a directory"):
        trust_host_key(tmp_path, "kitchen", known.key)


def test_host_key_errors_are_errors_of_the_transport():
    assert issubclass(HostKeyError, TransportError)
