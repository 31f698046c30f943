"""The iterations of a launch as Parquet, the outputs of a quality launch as .npz.

pyarrow is imported where it is used: a listing of campaigns needs none.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from pocketbench.harness.store.records import Array, TraceRecord

__all__ = [
    "OUTPUTS_LIMIT_BYTES",
    "SAMPLES_DTYPE",
    "STREAMS_DTYPE",
    "decode_samples",
    "decode_traces",
    "encode_outputs",
    "encode_samples",
    "encode_traces",
]

# Of several streams the samples stand one stream after the other, told apart by a field more.
SAMPLES_DTYPE = np.dtype([("start_ns", np.int64), ("latency_ns", np.int64), ("steady", np.bool_)])
STREAMS_DTYPE = np.dtype([*SAMPLES_DTYPE.descr, ("stream", np.int64)])
# Outputs are kept to compare variants sample by sample; a campaign of segmentation masks must not fill the disk.
OUTPUTS_LIMIT_BYTES = 64 * 2**20
_TRACE_COLUMNS = ("sensor", "quantity", "source", "time_ns", "value")


def encode_samples(samples: Array) -> bytes:
    """Parquet of an array with the fields of SAMPLES_DTYPE, or STREAMS_DTYPE; the same samples give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [name for name in STREAMS_DTYPE.names or () if name in (samples.dtype.names or ())]
    table = pa.table({name: pa.array(np.ascontiguousarray(samples[name])) for name in names})
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", use_dictionary=False, store_schema=False)
    return sink.getvalue()


def decode_samples(data: bytes) -> Array:
    """What `encode_samples` was given, with the fields of STREAMS_DTYPE: a single stream is the stream 0."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(data))
    samples = np.zeros(table.num_rows, STREAMS_DTYPE)
    for name in STREAMS_DTYPE.names or ():
        if name != "stream" or name in table.column_names:
            samples[name] = table.column(name).to_numpy()
    return samples


def encode_traces(traces: Sequence[TraceRecord]) -> bytes:
    """Parquet of traces, a row for each value: sensor, quantity, source, time_ns, value."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    lengths = [len(trace.values) for trace in traces]
    names = ("sensor", "quantity", "source")
    columns = {
        name: pa.array(np.repeat([getattr(trace, name) for trace in traces], lengths)).dictionary_encode()
        for name in names
    }
    columns["time_ns"] = pa.array(np.concatenate([trace.times_ns for trace in traces]).astype(np.int64))
    columns["value"] = pa.array(np.concatenate([trace.values for trace in traces]).astype(np.float64))
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def decode_traces(data: bytes) -> list[TraceRecord]:
    """What `encode_traces` was given, those without a value left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(pa.BufferReader(data)).to_pydict()
    series: dict[tuple[str, str, str], tuple[list[int], list[float]]] = {}
    for *key, time_ns, value in zip(*(rows[name] for name in _TRACE_COLUMNS), strict=True):
        times, values = series.setdefault((key[0], key[1], key[2]), ([], []))
        times.append(time_ns)
        values.append(value)
    return [
        TraceRecord(*key, np.array(times, np.int64), np.array(values, np.float64))
        for key, (times, values) in series.items()
    ]


def encode_outputs(outputs: Sequence[Array]) -> bytes | None:
    """.npz with `output_0`, …; None where that is more than OUTPUTS_LIMIT_BYTES."""
    if sum(output.nbytes for output in outputs) > OUTPUTS_LIMIT_BYTES:
        return None
    sink = io.BytesIO()
    arrays: dict[str, Any] = {f"output_{index}": output for index, output in enumerate(outputs)}
    np.savez_compressed(sink, **arrays)
    return sink.getvalue()
