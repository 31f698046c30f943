"""A cable that is pulled and a power cut tell nobody: they have to be noticed, wherever the transport is just then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.errors import TransportError
from pocketbench.harness.transports.ssh import SshTransport
from tests.devices.board import Board
from tests.transports.ssh_client import Client, block, client_in

# The promise is 15 s; more is only for a test machine that has stopped altogether.
NOTICED_S = 15.0
TIMEOUT_S = 120.0

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Board(tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    return client_in(tmp_path / "user", monkeypatch)


@pytest.fixture
def transport(client: Client, board: Board) -> Iterator[SshTransport]:
    board.restore_link()
    with client.reach(board) as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)
        yield transport


def noticed_after_s(act: Callable[[], object], cut: Callable[[], object], delay_s: float) -> float:
    """Seconds from the cut, `delay_s` after the start of `act`, until `act` raises TransportError."""
    cut_at: list[float] = []

    def cut_now() -> None:
        cut()
        cut_at.append(time.monotonic())

    timer = threading.Timer(delay_s, cut_now)
    timer.start()
    with pytest.raises(TransportError, match=r"kitchen-pi: expected the connection to last .*no sign of life for 12 s"):
        act()
    timer.join()
    return time.monotonic() - cut_at[0]


def test_a_cut_in_the_middle_of_a_run_is_noticed_and_recovered_from(transport, board):
    run = lambda: transport.run(["sleep", "1000"], timeout_s=TIMEOUT_S)  # noqa: E731

    assert noticed_after_s(run, board.cut_link, 1) < NOTICED_S

    board.restore_link()
    assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


def test_a_power_cut_in_the_middle_of_a_push_is_noticed_and_recovered_from(transport, board, tmp_path):
    with (tmp_path / "source").open("wb") as file:
        file.truncate(2 << 30)  # takes no room here

    push = lambda: transport.push(tmp_path / "source", PurePosixPath("/root/target"))  # noqa: E731

    assert noticed_after_s(push, board.kill, 1) < NOTICED_S

    board.start()
    assert transport.run(["ls", "/root"], timeout_s=TIMEOUT_S).stdout == b""  # memory: gone with the power


def test_a_command_that_is_silent_for_long_is_no_cut(transport):
    """Longer than the limit, while nothing but signs of life comes."""
    assert transport.run(["sh", "-c", "sleep 20; echo on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


def test_a_connection_that_rests_for_long_is_still_there(transport, board):
    accepted = board.log().count("Accepted")
    time.sleep(20)

    assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"
    assert board.log().count("Accepted") == accepted


def test_a_cut_between_us_and_a_jump_host_is_noticed(client, board):
    """The board is its own jump host, under two names."""
    board.restore_link()
    client.trust(board)
    client.configure(block("behind", board, "ProxyJump board") + block("board", board))
    with client.transport("behind") as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)
        run = lambda: transport.run(["sleep", "1000"], timeout_s=TIMEOUT_S)  # noqa: E731

        assert noticed_after_s(run, board.cut_link, 1) < NOTICED_S
    board.restore_link()


def test_a_board_that_is_switched_off_gives_no_answer(client, board):
    board.cut_link()
    try:
        with (
            client.reach(board) as transport,
            pytest.raises(
                TransportError, match=r"kitchen-pi: expected to connect to .* got: no (answer in time|way there)"
            ),
        ):
            transport.run(["true"], timeout_s=TIMEOUT_S)
    finally:
        board.restore_link()
