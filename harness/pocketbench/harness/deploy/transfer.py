"""What is missing travels, in one stream, compressed where that is faster, and goes on where an earlier one was cut.

What arrives lies in a directory of its own below incoming/ until all of it is there and right. After a cut that
directory stays; the next deployment, of whatever host, that can use something of it makes it its own by one rename.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pocketbench.checked.errors import InputError
from pocketbench.harness.deploy.compression import sample_of
from pocketbench.harness.deploy.device_scripts import GONE, INCOMPLETE, MISMATCH, failure, run_script
from pocketbench.harness.deploy.hashing import hash_listing, hash_timeout_s, parse_hashes
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.plan import RECORD_NAME, Record
from pocketbench.harness.deploy.progress import Meter, ProgressCallback
from pocketbench.harness.deploy.space import megabytes
from pocketbench.harness.deploy.stream import TarFile, TarLink, TarText, file_chunks, open_stream, tar_chunks
from pocketbench.harness.deploy.survey import Survey, survey
from pocketbench.harness.errors import DeploymentError, DeviceError, TransportError
from pocketbench.harness.transports.base import Completed, Transport

__all__ = ["DeviceChangedError", "MissingObject", "Shipment", "deliver", "discard", "resumable_bytes"]

_log = logging.getLogger(__name__)

# A link slower than this is taken for a cut one, whatever it still brings.
_SLOWEST_BYTES_PER_S = 50_000.0
# The rate of the link is measured with this much, where there is enough to gain by compressing the rest.
_PROBE_BYTES = 2_000_000
_PROBE_FROM_BYTES = 4 * _PROBE_BYTES
_MOST_PARTIALS = 4
# Less than this is left where a file could not be written for want of room.
_FULL_BYTES = 1_000_000
_DISCARD_TIMEOUT_S = 60.0


class DeviceChangedError(DeploymentError):
    """What was seen on the device a moment ago is there no more: look again."""


@dataclass(frozen=True, slots=True)
class MissingObject:
    """A file of this computer that the device lacks."""

    sha256: str
    source: Path
    size_bytes: int
    mode: int


@dataclass(frozen=True, slots=True)
class Shipment:
    """A deployment to be made: its record, the objects to send with what the hash command is to say of each, and the
    objects that are there but not executable yet."""

    record: Record
    missing: tuple[MissingObject, ...]
    hash_command: str
    expected: Mapping[str, str]
    executable: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all missing objects."""
        return sum(item.size_bytes for item in self.missing)


def resumable_bytes(seen: Survey, missing: Sequence[MissingObject]) -> int:
    """How much of `missing` an earlier attempt has brought."""
    return sum(_left_over(seen, missing)[1].values())


def deliver(
    transport: Transport, layout: Layout, seen: Survey, shipment: Shipment, progress: ProgressCallback | None
) -> None:
    """Make the deployment of `shipment` on the device, complete and verified, but not in use.

    Raises TransportError where the connection breaks (what arrived stays for the next attempt), DeploymentError where
    the device cannot or something arrives damaged, DeviceChangedError where an object that was there has gone.
    """
    old, have = _left_over(seen, shipment.missing)
    if old:
        try:
            _Delivery(transport, layout, seen, shipment, old, have, progress).run()
        except _UnusableError as error:
            _log.warning("%s: what was left of an earlier transfer cannot be used: %s", transport.address, error)
        else:
            return
    _Delivery(transport, layout, seen, shipment, "", {}, progress).run()


class _UnusableError(DeploymentError):
    """What an earlier transfer left is damaged, or somebody else's."""


class _Delivery:
    """One attempt: appends, then the tar."""

    def __init__(
        self,
        transport: Transport,
        layout: Layout,
        seen: Survey,
        shipment: Shipment,
        old: str,
        have: Mapping[str, int],
        progress: ProgressCallback | None,
    ) -> None:
        self._transport, self._layout, self._shipment = transport, layout, shipment
        self._resuming = bool(old)
        self._old = old  # until the first command has made it ours
        self._have = dict(have)
        self._token = secrets.token_hex(16)
        self._can_unpack = "gzip" in seen.tools
        self._compressed = False
        self._meter = Meter(shipment.size_bytes, sum(have.values()), progress)

    def run(self) -> None:
        try:
            begun = [item for item in self._shipment.missing if 0 < self._have.get(item.sha256, 0) < item.size_bytes]
            self._choose_compression(begun)
            for item in begun:
                self._append(item, item.size_bytes)
            self._place()
        except TransportError:
            raise  # what arrived is worth keeping, and so it is after Ctrl-C
        except (DeviceChangedError, _UnusableError, InputError):
            self._discard()
            raise
        except DeploymentError as error:
            full = self._is_full()
            self._discard()
            if full:
                raise full from error
            raise
        self._meter.tell()

    def _choose_compression(self, begun: list[MissingObject]) -> None:
        left = self._left()
        size = sum(item.size_bytes - self._have.get(item.sha256, 0) for item in left)
        if not self._can_unpack or size < _PROBE_FROM_BYTES:
            return
        sample = sample_of([(item.source, item.size_bytes) for item in left])
        if not sample.compressible:
            return
        lead = max(begun or left, key=lambda item: item.size_bytes)
        start = self._have.get(lead.sha256, 0)
        probe = min(_PROBE_BYTES, lead.size_bytes - start)
        # By what the transport says, which a replay repeats: it goes the recorded way, however fast it is itself.
        rate = probe / max(self._append(lead, start + probe).duration_s, 1e-9)
        if lead not in begun and self._have[lead.sha256] < lead.size_bytes:
            begun.append(lead)
        self._compressed = sample.pays(rate)
        _log.info(
            "%s: %.1f MB/s, compressible to %.2f at %.1f MB/s: %s",
            *(self._transport.address, rate / 1e6, sample.ratio, sample.bytes_per_s / 1e6),
            "gzip" if self._compressed else "plain",
        )

    def _left(self) -> list[MissingObject]:
        """What is not there completely; an empty file has to come as well."""
        return [item for item in self._shipment.missing if self._have.get(item.sha256, -1) < item.size_bytes]

    def _append(self, item: MissingObject, end: int) -> Completed:
        start = self._have.get(item.sha256, 0)
        completed = self._send(
            "append",
            *(item.sha256, str(start), f"{item.mode:o}"),
            chunks=file_chunks(item.source, start, end, self._meter),
            size_bytes=end - start,
        )
        if completed.exit_code != 0 or completed.stdout.strip() != str(end).encode():
            raise failure(self._transport, completed, f"append to {item.sha256} up to {end} bytes")
        self._have[item.sha256] = end
        return completed

    def _place(self) -> None:
        record, shipment = self._shipment.record, self._shipment
        size = sum(item.size_bytes for item in self._left())
        completed = self._send(
            "place",
            *(record.name, record.deployment_id, shipment.hash_command),
            chunks=tar_chunks(self._members(), self._meter),
            size_bytes=size,
            extra_s=hash_timeout_s(shipment.size_bytes),
        )
        if completed.exit_code == MISMATCH:
            raise self._mismatch(completed)
        if completed.exit_code == INCOMPLETE:
            raise DeviceChangedError(
                f"{self._transport.address}: expected every file of {record.name} in place, got one missing: files "
                "were removed there meanwhile. Deploy again."
            )
        if completed.exit_code != 0:
            raise failure(self._transport, completed, f"place the files of {record.name}")
        _log.info("%s: %d files sent", self._transport.address, len(shipment.missing))

    def _members(self) -> Iterator[TarFile | TarLink | TarText]:
        record, shipment = self._shipment.record, self._shipment
        yield TarText(f"root/{RECORD_NAME}", record.to_bytes())
        for file in record.files:
            # Relative, so that the directory may be moved as a whole: deployments/NAME/ID/FILE
            yield TarLink(f"root/{file.name}", f"../../../objects/{file.sha256}")
        yield TarText("expected", hash_listing(shipment.expected).encode())
        yield TarText("executable", "".join(f"{sha256}\n" for sha256 in shipment.executable).encode())
        for item in self._left():
            yield TarFile(f"o/{item.sha256}", item.source, item.size_bytes, item.mode)
        yield TarText("complete", b"")

    def _send(
        self, script: str, *arguments: str, chunks: Iterator[bytes], size_bytes: int, extra_s: float = 60.0
    ) -> Completed:
        packing = "gzip" if self._compressed else "plain"
        with open_stream(chunks, self._meter, compressed=self._compressed) as stream:
            completed = run_script(
                self._transport,
                script,
                self._layout.directory,
                *(self._token, self._old, *arguments, packing),
                stdin=stream,
                timeout_s=extra_s + size_bytes / _SLOWEST_BYTES_PER_S,
            )
        if completed.exit_code == GONE:
            if self._resuming:
                raise _UnusableError("it is in use, or has gone")
            raise DeviceChangedError(
                f"{self._transport.address}: expected what had arrived to stay until all is there, got none of it: it "
                "was removed or taken over meanwhile. Deploy again."
            )
        self._old = ""
        return completed

    def _mismatch(self, completed: Completed) -> DeploymentError:
        right = parse_hashes(completed.stdout.decode(errors="replace"), self._shipment.expected)
        wrong = {
            file.name for file in self._shipment.record.files if file.sha256 in self._shipment.expected.keys() - right
        }
        kind = _UnusableError if self._resuming else DeploymentError
        return kind(
            f"{self._transport.address}: expected {', '.join(sorted(wrong))} to arrive with the right "
            f"{self._shipment.hash_command}, got another: not used. Check the connection and the storage, then deploy "
            "again."
        )

    def _is_full(self) -> DeploymentError | None:
        """tar does not always say so itself ("Wrote only 5632 of 10240 bytes")."""
        left = survey(self._transport, self._layout, "-").available_bytes
        if left >= _FULL_BYTES:
            return None
        return DeploymentError(
            f"{self._transport.address}, {self._layout.directory}: expected room for all files, got a full storage "
            f"({megabytes(left)} left) while they arrived: somebody else writes there. The deployment in use stays. "
            "Make room, then deploy again."
        )

    def _discard(self) -> None:
        """A transfer that the device refused is not to be resumed, and takes room."""
        discard(self._transport, self._layout, self._layout.incoming(self._token))


def discard(transport: Transport, layout: Layout, path: PurePosixPath) -> bool:
    """Remove what a failed deployment left, False where somebody else already had.

    Where it cannot be removed a later deployment collects it.
    """
    relative = str(path.relative_to(layout.directory))
    try:
        completed = run_script(transport, "discard", layout.directory, relative, timeout_s=_DISCARD_TIMEOUT_S)
    except DeviceError as error:
        _log.warning("%s stays for now: %s", path, error)
        return True
    return completed.exit_code != 0 or completed.stdout.strip() == b"there"


def _left_over(seen: Survey, missing: Sequence[MissingObject]) -> tuple[str, Mapping[str, int]]:
    """The directory below incoming/ that has most of what is missing, and how much of each."""
    sizes = {item.sha256: item.size_bytes for item in missing}
    best: tuple[str, Mapping[str, int]] = ("", {})
    if "flock" not in seen.tools:
        return best  # without it nobody can say whether the one who was sending is still there
    for token, found in seen.partials.items():
        usable = {sha256: size for sha256, size in found.items() if 0 < size <= sizes.get(sha256, 0)}
        begun = sum(size < sizes[sha256] for sha256, size in usable.items())
        if begun <= _MOST_PARTIALS and sum(usable.values()) > sum(best[1].values()):
            best = (token, usable)
    return best
