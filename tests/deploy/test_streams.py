"""What goes over the wire: tars that every tar reads, compressed where it is faster, counted on the way."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from dataclasses import replace

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.compression import Sample, sample_of
from pocketbench.harness.deploy.deployment import deploy
from pocketbench.harness.deploy.progress import Meter, Progress
from pocketbench.harness.deploy.stream import TarFile, TarLink, TarText, file_chunks, open_stream, tar_chunks
from pocketbench.harness.transports.local import LocalTransport

RANDOM = random.Random(0).randbytes(700_000)


@pytest.fixture
def told():
    return []


@pytest.fixture
def meter(told):
    return Meter(len(RANDOM), 0, told.append)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_tar_of_files_links_and_texts(tmp_path, meter, told, compressed):
    source = tmp_path / "source"
    source.write_bytes(RANDOM)
    members: list[TarFile | TarLink | TarText] = [
        TarText("a", b"text"),
        TarLink("b", "../x"),
        TarFile("c" * 90, source, len(RANDOM), 0o555),
        TarText("d", b""),
    ]
    with open_stream(tar_chunks(members, meter), meter, compressed=compressed) as stream:
        data = stream.read()
    meter.tell()
    assert told[-1].wire_bytes == len(data)
    assert told[-1].file_bytes == len(RANDOM)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data) if compressed else data)) as archive:
        assert archive.getnames() == ["a", "b", "c" * 90, "d"]
        assert content(archive, "a") == b"text"
        assert archive.getmember("b").linkname == "../x"
        assert content(archive, "c" * 90) == RANDOM
        assert archive.getmember("c" * 90).mode == 0o555


def content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    assert member is not None
    return member.read()


@pytest.mark.parametrize("sizes", [(1, 2, 3, 5_000), (300_000,), (-1,)], ids=["small", "large", "all"])
def test_a_stream_is_read_in_pieces_of_any_size(tmp_path, meter, sizes):
    source = tmp_path / "source"
    source.write_bytes(RANDOM)
    pieces: list[bytes] = []
    with open_stream(file_chunks(source, 1000, len(RANDOM), meter), meter, compressed=False) as stream:
        while piece := stream.read(sizes[len(pieces) % len(sizes)]):
            pieces.append(piece)
    assert b"".join(pieces) == RANDOM[1000:]


def test_a_file_that_shrinks_meanwhile_is_told(tmp_path, meter):
    source = tmp_path / "source"
    source.write_bytes(b"short")
    with pytest.raises(InputError, match=r"expected 100 bytes in .* got fewer: it was changed meanwhile"):
        list(file_chunks(source, 0, 100, meter))
    source.unlink()
    with pytest.raises(InputError, match="No such file"):
        list(file_chunks(source, 0, 100, meter))


def test_a_sample_tells_random_data_from_text(tmp_path):
    text, noise = tmp_path / "text", tmp_path / "noise"
    text.write_bytes(b"".join(b"%d\n" % n for n in range(200_000)))
    noise.write_bytes(RANDOM)
    assert sample_of([(text, text.stat().st_size)]).compressible
    assert not sample_of([(noise, len(RANDOM))]).compressible
    both = sample_of([(text, text.stat().st_size), (noise, len(RANDOM))])
    assert sample_of([(text, text.stat().st_size)]).ratio < both.ratio < 1
    assert not sample_of([]).compressible


@pytest.mark.parametrize(
    ("ratio", "compressor", "link", "pays"),
    [
        pytest.param(0.4, 70e6, 10e6, True, id="a phone by USB 2"),
        pytest.param(0.4, 70e6, 40e6, True, id="a board by Gigabit Ethernet and a card"),
        pytest.param(0.4, 70e6, 150e6, False, id="this computer"),
        pytest.param(0.9, 70e6, 1e6, False, id="a slow link, but compressed already"),
        pytest.param(0.7, 20e6, 10e6, False, id="a slow computer"),
    ],
)
def test_compression_pays_where_the_link_is_slower(ratio, compressor, link, pays):
    assert Sample(ratio, compressor).pays(link) is pays


@pytest.mark.parametrize(
    ("progress", "message", "summary"),
    [
        pytest.param(
            Progress(30_000_000, 100_000_000, 0, 30_100_000, 2.0),
            "30.0 of 100.0 MB, 15.0 MB/s",
            "sent 30.0 MB in 2.0 s",
            id="plain",
        ),
        pytest.param(
            Progress(30_000_000, 100_000_000, 10_000_000, 8_000_000, 2.0),
            "30.0 of 100.0 MB, 10.0 MB/s, 4.0 MB/s compressed on the wire",
            "sent 20.0 MB in 2.0 s, 8.0 MB compressed on the wire; 10.0 MB were there of an earlier attempt",
            id="compressed, resumed",
        ),
        pytest.param(
            Progress(100, 100, 0, 3_000, 0.5),
            "0.0 MB sent, the device verifies them",
            "sent 0.0 MB in 0.5 s",
            id="all",
        ),
        pytest.param(
            Progress(7, 7, 7, 3_000, 0.5), "0.0 MB sent, the device verifies them", "nothing to send", id="none"
        ),
        pytest.param(Progress(0, 9_000_000, 0, 0, 0.0), "0.0 of 9.0 MB, 0.0 MB/s", "sent 0.0 MB in 0.0 s", id="start"),
    ],
)
def test_a_moment_of_a_transfer_in_words(progress, message, summary):
    assert progress.message == message
    assert progress.summary() == summary


def test_the_time_left_follows_the_rate_up_to_now():
    assert Progress(30, 100, 10, 25, 2.0).seconds_left == 7.0
    assert Progress(10, 100, 10, 0, 2.0).seconds_left is None
    assert Progress(100, 100, 10, 90, 2.0).seconds_left is None


def test_that_all_was_handed_over_is_told_at_once(told):
    meter = Meter(1000, 0, told.append)
    meter.add_file_bytes(999)
    meter.add_wire_bytes(999)
    meter.add_file_bytes(1)
    meter.add_wire_bytes(1)
    meter.add_wire_bytes(512)
    assert [progress.file_bytes for progress in told] == [1000]


def test_rates_tell_files_from_the_wire(told):
    meter = Meter(1000, 200, told.append)
    meter.add_file_bytes(800)
    meter.add_wire_bytes(100)
    meter.tell()
    progress = told[-1]
    assert (progress.file_bytes, progress.file_bytes_total, progress.resumed_bytes) == (1000, 1000, 200)
    assert progress.file_bytes_per_s == pytest.approx(8 * progress.wire_bytes_per_s)


class Timed(LocalTransport):
    """Says that every command took so long, however long it took."""

    def __init__(self, duration_s: float) -> None:
        super().__init__()
        self._duration_s = duration_s

    def run(self, argv, **options):
        return replace(super().run(argv, **options), duration_s=self._duration_s)


@pytest.mark.parametrize(
    ("duration_s", "compressed"), [pytest.param(100.0, True, id="slow"), pytest.param(1e-4, False, id="fast")]
)
def test_what_the_transport_says_of_the_link_decides(directory, make_plan, duration_s, compressed):
    """So a replay, which says what was recorded, goes the recorded way on any computer."""
    text = b"".join(b"%d %d\n" % (n, n * n) for n in range(700_000))
    told: list[Progress] = []

    deploy(Timed(duration_s), directory, make_plan({"model": text}), check=lambda _: None, progress=told.append)

    assert (told[-1].wire_bytes < 0.7 * told[-1].file_bytes) is compressed
