"""What goes over the wire: tars that every tar reads, compressed where it is faster, counted on the way."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from concurrent.futures import Future

import pytest

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.compression import is_compressible, pays
from pocketbench.harness.deploy.packing import _better, _Packer, gzip_chunks
from pocketbench.harness.deploy.progress import Meter, Progress
from pocketbench.harness.deploy.stream import TarFile, TarLink, TarText, file_chunks, open_stream, tar_chunks

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
    rate = 20e6 if compressed else None
    with open_stream(tar_chunks(members, meter), meter, gzip_for_bytes_per_s=rate) as stream:
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
    with open_stream(file_chunks(source, 1000, len(RANDOM), meter), meter, gzip_for_bytes_per_s=None) as stream:
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
    assert is_compressible([(text, text.stat().st_size)])
    assert not is_compressible([(noise, len(RANDOM))])
    assert is_compressible([(text, text.stat().st_size), (noise, 400_000)])
    assert not is_compressible([])


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        pytest.param(20e6, True, id="Wi-Fi"),
        pytest.param(35e6, True, id="USB 2"),
        pytest.param(110e6, False, id="Gigabit Ethernet"),
    ],
)
def test_compression_pays_where_the_link_is_slower_than_unpacking(link, expected):
    assert pays(link) is expected


def text_chunks(count):
    return [b"".join(b"%d\n" % n for n in range(start, start + 20_000)) for start in range(0, count * 20_000, 20_000)]


@pytest.mark.parametrize("size", [0, 1, 65_535, 4 * 65_535, 4 * 65_535 + 1])
def test_blocks_of_any_size_are_one_gzip_stream(size):
    data = (RANDOM * 2)[:size]
    packed = b"".join(gzip_chunks([data[:7], b"", data[7:]], 20e6))
    assert gzip.decompress(packed) == data


def test_a_block_that_is_not_ready_when_the_link_is_goes_as_it_is():
    waited_s: list[float] = []

    class Never(Future[bytes]):
        def result(self, timeout=None):
            waited_s.append(timeout)
            raise TimeoutError

    chunks = text_chunks(40)
    packed = b"".join(_Packer(chunks, lambda compress, block: Never(), 6, 20e6).run())
    assert gzip.decompress(packed) == b"".join(chunks)
    assert len(packed) > sum(map(len, chunks))
    # It takes 13 ms for a block. Nothing takes them here, so what waits for the link becomes more.
    assert waited_s[0] == 0
    assert max(waited_s) > 0


@pytest.mark.parametrize(("link", "better"), [(1e3, True), (1e12, False)], ids=["slow", "fast"])
def test_what_lasts_a_slow_link_for_long_is_compressed_better(link, better):
    levels = []

    def at_once(compress, block):
        done: Future[bytes] = Future()
        levels.append(compress)
        done.set_result(compress(block))
        return done

    chunks = text_chunks(40)
    packed = b"".join(_Packer(chunks, at_once, 6, link).run())
    assert gzip.decompress(packed) == b"".join(chunks)
    assert len(packed) < 0.5 * sum(map(len, chunks))
    assert (_better in levels) is better


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
