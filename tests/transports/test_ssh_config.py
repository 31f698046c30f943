"""What ssh's configuration says of a host, compared with what ssh itself makes of it (`ssh -G`)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.transports.ssh_config import find_route
from tests.needs import require_program

CONFIGURATIONS = {
    "nothing": "",
    "alias": "Host kitchen\n HostName 192.0.2.7\n User pi\n Port 2222\n",
    "first value wins": "Host kit*\n User one\nHost kitchen\n User two\n Port 23\n",
    "default at the end": "Host kitchen\n User pi\nHost *\n User nobody\n Port 2200\n",
    "negation": "Host * !kitchen\n User nobody\nHost *\n User pi\n",
    "several patterns": "Host a b kitchen\n Port 24\n",
    "equals": "Host=kitchen\n Port=2022\n User = pi\n HostName\t=\t192.0.2.8\n",
    "case of keywords": "host kitchen\n HOSTNAME h.example\n uSeR pi\n",
    "quotes": 'Host "kitchen"\n IdentityFile "~/my keys/id"\n User "pi"\n',
    "comments": "# Host kitchen\nHost kitchen\n # User no\n User pi\n\n   \n",
    "tokens": "Host kitchen\n HostName %h.example.org\n IdentityFile ~/.ssh/%r@%h-%p\n User pi\n Port 25\n",
    "identities add up": "Host kitchen\n IdentityFile ~/a\nHost *\n IdentityFile ~/b\n IdentitiesOnly yes\n",
    "known hosts": "Host kitchen\n UserKnownHostsFile ~/k1 ~/k2\n GlobalKnownHostsFile /k3\n HostKeyAlias workshop\n",
    "match host": "Match host 192.0.2.9\n User pi\nHost kitchen\n HostName 192.0.2.9\nMatch host 192.0.2.9\n Port 26\n",
    "match original": "Match originalhost kitchen\n Port 27\nMatch !originalhost kitchen\n Port 28\n",
    "match user": "Host kitchen\n User pi\nMatch user pi,po\n Port 29\nMatch user po\n HostName no\n",
    "match all": "Match all\n Port 30\n",
    "match exec": 'Match exec "true"\n Port 31\nMatch exec "false"\n User no\n',
    "match several": 'Match originalhost kit* exec "test %n = kitchen"\n Port 32\n',
    "match final": "Match final host h.example\n User pi\nHost kitchen\n HostName h.example\n",
    "match canonical": "Match canonical\n User no\n",
    "match canonical and final": "Match canonical\n User pi\nMatch !final\n Port 33\n",
    "jump": "Host kitchen\n ProxyJump me@one:22,two\n",
    "jump first": "Host kitchen\n ProxyJump one\n ProxyCommand nc %h %p\n",
    "command first": "Host kitchen\n ProxyCommand nc %h %p\nHost *\n ProxyJump one\n",
    "no jump": "Host kitchen\n ProxyJump none\nHost *\n ProxyJump one\n",
    "other keywords": "Host kitchen\n Ciphers aes128-ctr\n ForwardAgent no\n User pi\n",
}


def told_by_ssh(config: Path, host: str) -> dict[str, list[str]]:
    ssh = require_program("ssh", "apt-get install openssh-client")
    text = subprocess.run([ssh, "-F", config, "-G", host], capture_output=True, text=True, check=True).stdout
    told: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _, value = line.partition(" ")
        told.setdefault(keyword, []).append(value)
    return told


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in CONFIGURATIONS.items()])
def test_it_says_what_ssh_says(tmp_path, text):
    config = tmp_path / "config"
    config.write_text(text)
    told = told_by_ssh(config, "kitchen")

    host = find_route([config], "kitchen", None, None)[-1]

    assert host.hostname == told["hostname"][0]
    assert host.port == int(told["port"][0])
    assert host.user == told["user"][0]
    assert host.identities_only is (told["identitiesonly"][0] == "yes")
    assert [host.host_key_alias] == told.get("hostkeyalias", [None])
    if host.identity_files is not None:
        tokens = {"%r": host.user, "%h": host.hostname, "%p": str(host.port)}
        expected = [str(Path(name).expanduser()) for name in told["identityfile"]]
        for token, value in tokens.items():
            expected = [name.replace(token, value) for name in expected]
        assert [str(path) for path in host.identity_files] == expected
    known = [*told["userknownhostsfile"][0].split(), *told["globalknownhostsfile"][0].split()]
    assert [str(path) for path in host.known_hosts_files] == [str(Path(name).expanduser()) for name in known]
    jumps = [f"{user}@{name}:{port}" if user else name for name, user, port in host.proxy_jump]
    assert jumps == [jump for jumps in told.get("proxyjump", []) for jump in jumps.split(",")]
    if host.proxy_command is not None:
        assert [host.proxy_command] == [
            c.replace("%h", host.hostname).replace("%p", str(host.port)) for c in told["proxycommand"]
        ]
    else:
        assert "proxycommand" not in told


def test_what_the_address_says_wins(tmp_path):
    (tmp_path / "config").write_text("Host kitchen\n User pi\n Port 2222\nMatch user me\n HostName right\n")

    (host,) = find_route([tmp_path / "config"], "kitchen", "me", 22)

    assert (host.place, host.key_name) == ("me@right:22", "right")


def test_files_include_others_by_pattern(tmp_path):
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d/1").write_text("User pi\nHost other\n Port 1\n")
    (tmp_path / "config.d/2").write_text("Host kitchen\n HostName included\n")
    (tmp_path / "config").write_text(
        f"Host kitchen\n Include config.d/* {tmp_path}/missing\n Port 2222\nHost other\n Include config.d/9\n"
    )
    told = told_by_ssh_including(tmp_path)

    (host,) = find_route([tmp_path / "config"], "kitchen", None, None)

    assert (host.hostname, host.user, host.port) == ("included", "pi", 2222)
    assert (told["hostname"], told["user"], told["port"]) == (["included"], ["pi"], ["2222"])


def told_by_ssh_including(tmp_path: Path) -> dict[str, list[str]]:
    """ssh looks for relative names in ~/.ssh whatever -F says: they are written out for it."""
    text = (tmp_path / "config").read_text().replace("Include config.d", f"Include {tmp_path}/config.d")
    (tmp_path / "absolute").write_text(text)
    return told_by_ssh(tmp_path / "absolute", "kitchen")


def test_the_users_file_comes_before_the_computers(tmp_path):
    (tmp_path / "user").write_text("Host kitchen\n User pi\n")
    (tmp_path / "computer").write_text("User nobody\nPort 2222\n")

    (host,) = find_route([tmp_path / "user", tmp_path / "missing", tmp_path / "computer"], "kitchen", None, None)

    assert (host.user, host.port) == ("pi", 2222)


def test_jump_hosts_have_their_own_place_in_the_configuration(tmp_path):
    (tmp_path / "config").write_text(
        "Host kitchen\n ProxyJump me@gate:2200,hall\nHost gate\n HostName gate.example\n ProxyJump outer\n"
        "Host hall\n User hans\n ProxyJump ignored\n"
    )

    route = find_route([tmp_path / "config"], "kitchen", "pi", None)

    assert [host.place.split("@")[1] for host in route] == ["outer:22", "gate.example:2200", "hall:22", "kitchen:22"]
    assert [host.user for host in route[1:]] == ["me", "hans", "pi"]


def test_a_host_is_no_jump_host_to_itself(tmp_path):
    (tmp_path / "config").write_text("Host *\n ProxyJump gate\n")

    assert [host.alias for host in find_route([tmp_path / "config"], "kitchen", None, None)] == ["gate", "kitchen"]


def test_an_address_of_ipv6_is_no_pattern_of_a_set(tmp_path):
    (tmp_path / "config").write_text("Host ::1\n User six\nHost [:1]\n User no\n")

    (host,) = find_route([tmp_path / "config"], "::1", None, 2222)

    assert (host.place, host.key_name) == ("six@[::1]:2222", "[::1]:2222")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Port ninety", "config:1: expected a port from 1 to 65535, got 'ninety'"),
        ("Port 0", "got '0'"),
        ("\nUser", "config:2: expected a keyword and a value, got 'User'"),
        ('User "pi', "expected every quote to be closed"),
        ("User #pi", "expected a value after 'user', got none"),
        ("IdentityFile ~/%q", "expected one of the tokens .*, got '%q'"),
        ("IdentityFile ${NO_SUCH_VARIABLE}/id", "expected the environment variable NO_SUCH_VARIABLE to be set"),
        (
            "Match localnetwork 192.0.2.0/24",
            "expected a criterion of Match that pocketbench knows .* got 'localnetwork'",
        ),
        ("Match user", "expected a value after 'user', got none"),
        ("ProxyJump a@b@c:1:2", "expected jump hosts like user@host:port"),
        ("ProxyJump a:99999", "expected jump hosts like user@host:port"),
        (
            "Host a\nProxyJump b\nHost b\nProxyJump c\nHost c\nProxyJump b\nHost kitchen\nProxyJump a",
            "ProxyJump a circle",
        ),
        ("Include config", "files that include each other"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_line(tmp_path, text, words):
    (tmp_path / "config").write_text(text)

    with pytest.raises(InputError, match=words):
        find_route([tmp_path / "config"], "kitchen", None, None)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    (tmp_path / "config").mkdir()

    with pytest.raises(InputError, match=r"expected to read ssh's configuration .* Is a directory"):
        find_route([tmp_path / "config"], "kitchen", None, None)
