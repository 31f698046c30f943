"""A cable that is pulled and a power cut tell nobody: they have to be noticed, wherever the transport is just then.

That takes its time, and always the product's own: so all that is tried here is under way at once, each with a board
and in a thread of its own, and the tests look at what came of it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest

from pocketbench.harness.errors import TransportError
from tests.devices.board import Board
from tests.transports.ssh_client import Client, block, client_in

# The promise is 15 s; more is only for a test machine that has stopped altogether.
NOTICED_S = 15.0
TIMEOUT_S = 120.0
# Longer than the product's limit for silence.
SILENT_S = 16

pytestmark = pytest.mark.slow

Trial = Callable[[Client, Board, Path], None]
_TRIALS: list[Trial] = []


def trial(function: Trial) -> Trial:
    """One of what is tried at once; it has a board that is switched on, and a folder."""
    _TRIALS.append(function)
    return function


@pytest.fixture(scope="module")
def under_way(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Trial, Future[None]]]:
    with pytest.MonkeyPatch.context() as monkeypatch, ThreadPoolExecutor(len(_TRIALS)) as pool:
        started = {}
        for function in _TRIALS:
            folder = tmp_path_factory.mktemp("trial")
            client = client_in(folder / "user", monkeypatch)
            started[function] = pool.submit(_with_board, function, client, folder)
        yield started


def _with_board(function: Trial, client: Client, folder: Path) -> None:
    """In one thread from its start to its end: a board ends with the thread that started it."""
    with Board(folder / "board") as board:
        function(client, board, folder)
        board.restore_link()  # else the kernel keeps it for 20 s more, for what was on its way


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


@trial
def cut_in_the_middle_of_a_run(client: Client, board: Board, folder: Path) -> None:
    with client.reach(board) as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)
        run = lambda: transport.run(["sleep", "1000"], timeout_s=TIMEOUT_S)  # noqa: E731

        assert noticed_after_s(run, board.cut_link, 1) < NOTICED_S

        board.restore_link()
        assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


@trial
def power_cut_in_the_middle_of_a_push(client: Client, board: Board, folder: Path) -> None:
    with (folder / "source").open("wb") as file:
        file.truncate(2 << 30)  # takes no room here
    with client.reach(board) as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)
        push = lambda: transport.push(folder / "source", PurePosixPath("/root/target"))  # noqa: E731

        assert noticed_after_s(push, board.kill, 1) < NOTICED_S

        board.start()
        assert transport.run(["ls", "/root"], timeout_s=TIMEOUT_S).stdout == b""  # memory: gone with the power


@trial
def command_that_is_silent(client: Client, board: Board, folder: Path) -> None:
    with client.reach(board) as transport:
        assert transport.run(["sh", "-c", f"sleep {SILENT_S}; echo on"], timeout_s=TIMEOUT_S).stdout == b"on\n"


@trial
def connection_that_rests(client: Client, board: Board, folder: Path) -> None:
    with client.reach(board) as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)
        accepted = board.log().count("Accepted")
        time.sleep(SILENT_S)

        assert transport.run(["echo", "on"], timeout_s=TIMEOUT_S).stdout == b"on\n"
        assert board.log().count("Accepted") == accepted


@trial
def cut_between_us_and_a_jump_host(client: Client, board: Board, folder: Path) -> None:
    """The board is its own jump host, under two names."""
    client.trust(board)
    client.configure(block("behind", board, "ProxyJump board") + block("board", board))
    with client.transport("behind") as transport:
        transport.run(["true"], timeout_s=TIMEOUT_S)
        run = lambda: transport.run(["sleep", "1000"], timeout_s=TIMEOUT_S)  # noqa: E731

        assert noticed_after_s(run, board.cut_link, 1) < NOTICED_S


@trial
def board_that_is_switched_off(client: Client, board: Board, folder: Path) -> None:
    board.cut_link()
    expected = r"kitchen-pi: expected to connect to .* got: no (answer in time|way there)"
    with client.reach(board) as transport, pytest.raises(TransportError, match=expected):
        transport.run(["true"], timeout_s=TIMEOUT_S)


def test_a_cut_in_the_middle_of_a_run_is_noticed_and_recovered_from(under_way):
    under_way[cut_in_the_middle_of_a_run].result()


def test_a_power_cut_in_the_middle_of_a_push_is_noticed_and_recovered_from(under_way):
    under_way[power_cut_in_the_middle_of_a_push].result()


def test_a_command_that_is_silent_for_long_is_no_cut(under_way):
    """Longer than the limit, while nothing but signs of life comes."""
    under_way[command_that_is_silent].result()


def test_a_connection_that_rests_for_long_is_still_there(under_way):
    under_way[connection_that_rests].result()


def test_a_cut_between_us_and_a_jump_host_is_noticed(under_way):
    under_way[cut_between_us_and_a_jump_host].result()


def test_a_board_that_is_switched_off_gives_no_answer(under_way):
    under_way[board_that_is_switched_off].result()
