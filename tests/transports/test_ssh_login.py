"""Logging in: keys from files and the agent, passphrases, passwords, several steps, refusals that say what to do."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pocketbench.harness.errors import TransportError
from tests.devices.processes import end, start
from tests.devices.scripted_sshd import ScriptedSshd
from tests.devices.sshd import Sshd, make_key
from tests.needs import require_program
from tests.transports.ssh_client import Answers, Client, block, client_in

TIMEOUT_S = 60.0
SECRET = "correct horse"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd"), ["MaxAuthTries 4"]) as server:
        yield server


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """ssh-agent with nothing in it; the path of its socket."""
    program = require_program("ssh-agent", "apt-get install openssh-client")
    process = start([str(program), "-D", "-a", str(tmp_path / "agent")], talk=True)
    assert process.stdout is not None
    process.stdout.readline()  # it listens
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield tmp_path / "agent"
    end(process)


def echo(client: Client, ask: Answers | None = None) -> bytes:
    with client.transport(ask=ask) as transport:
        return transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout


def place(client: Client, server: Sshd | ScriptedSshd, identity: str) -> None:
    """Configure `server` with other lines about identities than its own key."""
    client.trust(server)
    client.configure(f"Host board\n HostName {server.host}\n Port {server.port}\n User {server.user}\n{identity}\n")


@pytest.mark.parametrize("key_type", ["ed25519", "rsa", "ecdsa"])
def test_the_usual_identities_are_tried(client, server, key_type):
    identity = client.folder / f".ssh/id_{key_type}"
    make_key(identity, key_type)
    with server.authorized_keys.open("ab") as file:
        file.write(identity.with_name(f"{identity.name}.pub").read_bytes())
    place(client, server, "")

    assert echo(client) == b"on\n"


def test_a_passphrase_is_asked_for_once_and_kept_for_reconnecting(client, server, tmp_path):
    key = tmp_path / "locked"
    key.write_bytes(server.key_file.read_bytes())
    key.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", SECRET, "-f", key], check=True, capture_output=True)
    place(client, server, f"IdentityFile {key}\nIdentitiesOnly yes")
    ask = Answers("wrong", SECRET)

    with client.transport(ask=ask) as transport:
        assert transport.run(["echo", "1"], timeout_s=TIMEOUT_S).stdout == b"1\n"
        transport.close()
        assert transport.run(["echo", "2"], timeout_s=TIMEOUT_S).stdout == b"2\n"

    assert ask.asked == [f"Passphrase of {key}: ", f"Not the right one. Passphrase of {key}: "]


def test_a_passphrase_that_nobody_knows_is_told(client, server, tmp_path):
    make_key(tmp_path / "locked", passphrase=SECRET)
    place(client, server, f"IdentityFile {tmp_path}/locked\nIdentitiesOnly yes")

    with pytest.raises(TransportError, match=f"passed over key {tmp_path}/locked .*`ssh-add {tmp_path}/locked`"):
        echo(client)


def test_the_agent_is_asked_before_the_user(client, server, agent, tmp_path):
    subprocess.run(["ssh-add", "-q", server.key_file], check=True, capture_output=True)
    make_key(client.folder / ".ssh/id_ed25519", passphrase=SECRET)
    place(client, server, "")
    ask = Answers()

    assert echo(client, ask) == b"on\n"
    assert ask.asked == []


def test_of_many_keys_in_the_agent_the_named_one_comes_first(client, server, agent, tmp_path):
    """MaxAuthTries is 4 there: the sixth key would come too late."""
    for number in range(5):
        make_key(tmp_path / f"other{number}")
        subprocess.run(["ssh-add", "-q", tmp_path / f"other{number}"], check=True, capture_output=True)
    subprocess.run(["ssh-add", "-q", server.key_file], check=True, capture_output=True)
    # Only its public half lies in the folder.
    (client.folder / ".ssh/board.pub").write_bytes(server.key_file.with_suffix(".pub").read_bytes())
    place(client, server, "IdentityFile ~/.ssh/board.pub")

    assert echo(client) == b"on\n"

    place(client, server, "")
    with pytest.raises(TransportError, match=r"got the end of the connection.*MaxAuthTries.*IdentitiesOnly"):
        echo(client)


def test_a_wrong_key_is_refused_with_what_was_tried_and_a_remedy(client, server, tmp_path):
    make_key(tmp_path / "wrong")
    place(client, server, f"IdentityFile {tmp_path}/wrong\nIdentityFile {tmp_path}/missing\nIdentitiesOnly yes")

    with pytest.raises(TransportError) as caught:
        echo(client)

    text = str(caught.value)
    assert text.startswith(f"kitchen-pi: expected to log in to {server.user}@127.0.0.1:{server.port}, got a refusal")
    assert "the server takes publickey" in text
    assert f"tried key {tmp_path}/wrong" in text
    assert f"passed over key {tmp_path}/missing (no such file)" in text
    assert f"ssh-copy-id -p {server.port} {server.user}@127.0.0.1" in text


def test_a_file_that_is_no_key_is_passed_over(client, server, tmp_path):
    (tmp_path / "odd").write_bytes(b"\xff\0 not a key")
    place(client, server, f"IdentityFile {tmp_path}/odd\nIdentityFile {tmp_path}\nIdentitiesOnly yes")

    with pytest.raises(TransportError, match=f"passed over key {tmp_path}/odd .not a private key"):
        echo(client)


def test_a_certificate_beside_the_key_is_shown(client, tmp_path):
    make_key(tmp_path / "authority")
    make_key(tmp_path / "mine")
    user = Sshd.current_user()
    subprocess.run(
        ["ssh-keygen", "-q", "-s", tmp_path / "authority", "-I", "me", "-n", user, f"{tmp_path}/mine.pub"], check=True
    )
    with Sshd(tmp_path / "sshd", [f"TrustedUserCAKeys {tmp_path}/authority.pub"]) as server:
        place(client, server, f"IdentityFile {tmp_path}/mine\nIdentitiesOnly yes")

        assert echo(client) == b"on\n"


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
def test_a_password_is_asked_for_once_and_kept_for_reconnecting(client, tmp_path, method, caplog):
    caplog.set_level(logging.DEBUG)
    answers = {"Password: ": SECRET}
    with ScriptedSshd(tmp_path / "server", [method], password=SECRET, answers=answers) as server:
        place(client, server, "")
        ask = Answers("wrong", SECRET)
        with client.transport(ask=ask) as transport:
            assert transport.run(["echo", "1"], timeout_s=TIMEOUT_S).stdout == b"1\n"
            transport.close()
            assert transport.run(["echo", "2"], timeout_s=TIMEOUT_S).stdout == b"2\n"

        where = f"pi@127.0.0.1:{server.port}"
        assert ask.asked == [f"Password of {where}: ", f"Not accepted. Password of {where}: "]
        assert server.attempts == [method] * 3
        assert SECRET not in caplog.text + repr(vars(transport))
        written = [path for path in client.folder.rglob("*") if path.is_file() and SECRET in path.read_text()]
        assert written == []


def test_wrong_passwords_are_refused_after_three(client, tmp_path):
    with ScriptedSshd(tmp_path / "server", ["password"], password=SECRET) as server:
        place(client, server, "")
        ask = Answers("1", "2", "3", SECRET)

        with pytest.raises(TransportError, match="the server takes password; tried a password, a password, a password"):
            echo(client, ask)

        assert len(ask.asked) == 3


def test_without_anybody_to_ask_a_password_is_refused(client, tmp_path):
    with ScriptedSshd(tmp_path / "server", ["password"], password=SECRET) as server:
        place(client, server, "")

        with pytest.raises(TransportError, match=r"the server takes password; tried nothing.*a terminal is needed"):
            echo(client)


def test_a_password_comes_from_the_keyring_where_the_user_put_it(client, tmp_path, monkeypatch):
    keyring = pytest.importorskip("keyring")
    with ScriptedSshd(tmp_path / "server", ["password"], password=SECRET) as server:
        place(client, server, "")
        kept = {("pocketbench", f"pi@127.0.0.1:{server.port}"): SECRET}
        monkeypatch.setattr(keyring, "get_password", lambda service, name: kept.get((service, name)))
        ask = Answers()

        assert echo(client, ask) == b"on\n"
        assert ask.asked == []


def test_a_keyring_that_fails_is_no_obstacle(client, tmp_path, monkeypatch):
    keyring = pytest.importorskip("keyring")
    errors = pytest.importorskip("keyring.errors")

    def locked(service: str, name: str) -> str:
        raise errors.KeyringLocked("locked")

    monkeypatch.setattr(keyring, "get_password", locked)
    with ScriptedSshd(tmp_path / "server", ["password"], password=SECRET) as server:
        place(client, server, "")

        assert echo(client, Answers(SECRET)) == b"on\n"


def test_a_server_may_want_a_key_and_a_password_and_a_code(client, tmp_path):
    steps = ["publickey", "password", "keyboard-interactive"]
    answers = {"Password: ": SECRET, "Code: ": "123456"}
    with ScriptedSshd(tmp_path / "server", steps, password=SECRET, answers=answers) as server:
        client.trust(server)
        client.configure(block("board", server))
        ask = Answers(SECRET, "123456")

        assert echo(client, ask) == b"on\n"
        assert server.attempts == steps
        assert [prompt.split()[0] for prompt in ask.asked] == ["Password", "Code:"]
