"""What is announced in the network, real and hostile: made on loopback, by the library and byte by byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from zeroconf import ServiceInfo, Zeroconf
from zeroconf._dns import DNSAddress, DNSPointer, DNSService
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.const import (
    _CLASS_IN,
    _CLASS_UNIQUE,
    _FLAGS_AA,
    _FLAGS_QR_RESPONSE,
    _MDNS_ADDR,
    _MDNS_PORT,
    _TYPE_A,
    _TYPE_PTR,
    _TYPE_SRV,
)

from pocketbench.harness.devices import scan_network
from pocketbench.harness.devices.address import parse_address
from pocketbench.harness.devices.mdns import (
    ADB_PAIRING,
    ADB_PLAIN,
    ADB_TLS,
    SFTP_SSH,
    SSH,
    WORKSTATION,
    Announcement,
    browse,
)
from pocketbench.harness.devices.scan_network import listen, names_known_here, sightings_of
from pocketbench.harness.devices.sighting import put_together

pytestmark = pytest.mark.alone

LOOPBACK = ["127.0.0.1"]
TTL_S = 120
Shout = Callable[[str, str, int, str, str], None]


@pytest.fixture
def shout() -> Iterator[Shout]:
    """Announce a service as anybody could, with whatever names and numbers, again and again."""
    packets: list[bytes] = []
    done = threading.Event()
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(LOOPBACK[0]))

    def send() -> None:
        while not done.wait(0.1):
            for packet in list(packets):
                sender.sendto(packet, (_MDNS_ADDR, _MDNS_PORT))

    def shout(service: str, name: str, port: int, server: str, address: str) -> None:
        instance = f"{name}.{service}"
        out = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        out.add_answer_at_time(DNSPointer(service, _TYPE_PTR, _CLASS_IN, TTL_S, instance), 0)
        unique = _CLASS_IN | _CLASS_UNIQUE
        out.add_answer_at_time(DNSService(instance, _TYPE_SRV, unique, TTL_S, 0, 0, port, server), 0)
        out.add_answer_at_time(DNSAddress(server, _TYPE_A, unique, TTL_S, socket.inet_aton(address)), 0)
        packets.extend(out.packets())

    thread = threading.Thread(target=send)
    thread.start()
    yield shout
    done.set()
    thread.join()
    sender.close()


def test_what_is_heard_has_the_name_of_its_host(shout):
    shout(SSH, "kitchen", 2222, "Kitchen.local.", "10.0.0.7")
    shout(WORKSTATION, "kitchen [02:42:ac:11:00:02]", 9, "kitchen.local.", "10.0.0.7")

    heard = [a for a in browse(1.0, interfaces=LOOPBACK) if a.host == "10.0.0.7"]

    assert [(a.service, a.host_name, a.addresses) for a in heard] == [
        (SSH, "kitchen.local", ("10.0.0.7",)),
        (WORKSTATION, "kitchen.local", ("10.0.0.7",)),
    ]


def test_nothing_hostile_comes_through(shout):
    names = ["\x1b]0;owned\x07", "a\nb", "$(reboot)", "--help", "‮txt", "'; rm -rf ~; '", "[bold]x[/bold]", "ü" * 31]
    for number, name in enumerate(names, start=1):
        shout(SSH, name, 22, f"-oProxyCommand=x{number}.local.", f"10.0.0.{number}")
    shout(SSH, "no-port", 0, "a.local.", "10.0.1.1")
    shout(SSH, "no-address", 22, "b.local.", "0.0.0.0")
    shout(SSH, "a-group", 22, "c.local.", "224.0.0.251")
    shout(SSH, "elsewhere", 22, "example.com.", "10.0.1.2")
    shout(ADB_PLAIN, "adb-$(id)", 5555, "d.local.", "10.0.1.3")

    seen = listen(1.0, LOOPBACK)

    rows = put_together(seen.sightings)
    assert {row.address for row in rows if row.what == "elsewhere"} == {"ssh://10.0.1.2:22"}
    assert not {"no-port", "no-address", "a-group"} & {row.what for row in rows}
    assert len(rows) >= 5
    for row in rows:
        assert row.address is not None
        assert parse_address(row.address)
        assert row.what is not None
        assert row.what.isprintable()


def test_a_flood_is_cut_and_told_and_leaves_room_for_others(shout):
    for number in range(130):
        shout(SSH, f"board-{number}", 22, f"board-{number}.local.", f"10.1.0.{number}")
    shout(ADB_PLAIN, "adb-A1", 5555, "phone.local.", "10.0.0.9")

    seen = listen(2.0, LOOPBACK)

    boards = [row for row in seen.sightings if row.way == "mDNS _ssh._tcp"]
    assert 0 < len(boards) <= 100
    assert "announcements were left out" in str(seen.problem)
    assert "adb+tcp://10.0.0.9:5555" in {row.address for row in seen.sightings}


def test_without_a_network_it_is_said(monkeypatch):
    def none(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(scan_network, "browse", none)

    assert "Network is unreachable" in str(listen(0.1, LOOPBACK).problem)


def heard(service: str, name: str, host: str, port: int, host_name: str | None = None) -> Announcement:
    return Announcement(service, name, host, port, host_name=host_name, addresses=(host,))


def test_a_phone_without_a_cable_gets_the_sentence_that_it_needs():
    tls = heard(ADB_TLS, "adb-A1-x7k2Lq", "10.0.0.5", 37123)
    pairing = heard(ADB_PAIRING, "adb-A1-x7k2Lq", "10.0.0.5", 41234)
    plain = heard(ADB_PLAIN, "adb-A1", "10.0.0.5", 5555)

    (row,) = put_together(sightings_of([tls], frozenset()))
    assert row.address == "adb+tcp://10.0.0.5:37123"
    assert "`adb pair HOST:PORT`" in str(row.to_do)
    assert "`adb connect 10.0.0.5:37123`" in str(row.to_do)
    (row,) = put_together(sightings_of([tls, pairing], frozenset()))
    assert row.address == "adb+tcp://10.0.0.5:37123"
    assert "`adb pair 10.0.0.5:41234`" in str(row.to_do)
    (row,) = put_together(sightings_of([tls, pairing, plain], frozenset()))
    assert (row.address, row.to_do, row.can_be_added) == ("adb+tcp://10.0.0.5:5555", None, True)
    assert row.found_by == ("mDNS _adb._tcp", "mDNS _adb-tls-pairing._tcp", "mDNS _adb-tls-connect._tcp")


def test_a_board_that_announces_itself_in_several_ways_is_one():
    ways = [heard(service, "kitchen", "10.0.0.7", 22, "kitchen.local") for service in (SFTP_SSH, SSH)]
    ways += [heard(WORKSTATION, "kitchen [02:42:ac:11:00:02]", "10.0.0.7", 9, "kitchen.local")]
    container = heard(SSH, "container", "10.0.0.7", 2222)

    row, other = put_together(sightings_of([*ways, container], frozenset({"kitchen.local"})))

    assert (row.address, row.name_hint) == ("ssh://kitchen.local:22", "kitchen")
    assert row.found_by == ("mDNS _ssh._tcp", "mDNS _sftp-ssh._tcp", "mDNS _workstation._tcp")
    assert other.address == "ssh://10.0.0.7:2222"


def test_an_address_of_ipv6_is_written_in_brackets():
    (row,) = sightings_of([heard(SSH, "six", "fe80::1%eth0", 22)], frozenset())

    assert row.address == "ssh://[fe80::1%eth0]:22"


def test_a_name_is_used_only_where_this_computer_finds_it_at_the_announced_address():
    late = threading.Event()

    def look_up(name: str) -> set[str]:
        if name == "late.local":
            late.wait(60.0)
        if name == "unknown.local":
            raise socket.gaierror
        return {"10.0.0.7", "::1"}

    announced = [
        heard(SSH, "a", "10.0.0.7", 22, "kitchen.local"),
        heard(SSH, "b", "10.6.6.6", 22, "stolen.local"),
        heard(SSH, "c", "10.0.0.8", 22, "unknown.local"),
        heard(SSH, "d", "10.0.0.9", 22, "late.local"),
        heard(SSH, "e", "10.0.0.10", 22),
    ]
    try:
        known = names_known_here(announced, look_up, within_s=0.5)
    finally:
        late.set()

    assert known == {"kitchen.local"}
    assert [row.address for row in sightings_of(announced, known)][:2] == [
        "ssh://kitchen.local:22",
        "ssh://10.6.6.6:22",
    ]


def test_the_library_itself_announces_what_is_heard():
    """Not only our own packets: an independent responder, with several addresses and an answer to questions."""
    responder = Zeroconf(interfaces=LOOPBACK)
    try:
        addresses = [socket.inet_aton(text) for text in ("10.0.0.7", "10.0.0.8")]
        info = ServiceInfo(SFTP_SSH, f"pi.{SFTP_SSH}", addresses=addresses, port=22, server="pi.local.")
        responder.register_service(info)
        time.sleep(0.1)
        found = [a for a in browse(1.5, interfaces=LOOPBACK) if a.name == "pi"]
    finally:
        responder.close()

    assert [(a.service, set(a.addresses), a.host_name) for a in found] == [
        (SFTP_SSH, {"10.0.0.7", "10.0.0.8"}, "pi.local")
    ]
