"""What a user would write instead: time an engine's own Python API in a loop. A process of its own.

`python -m benchmarks.python_loop ENGINE MODEL INPUT.npy THREADS WARMUP ITERATIONS` prints the latencies in ns as JSON.
Of each engine's public Python APIs the one with the least work per inference, its buffers made once. LiteRT:
CompiledModel.run_by_index (the Interpreter's invoke() is as fast, but compiles with other delegate options than the C
API). ONNX Runtime: run_with_iobinding; run() checks names and makes lists in caches that the model has just emptied,
which is 0.6 % of MobileNetV2's 6 ms.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

__all__ = ["main"]


def _litert(model: str, data: np.ndarray, threads: int) -> Callable[[], object]:
    from ai_edge_litert.compiled_model import CompiledModel
    from ai_edge_litert.hardware_accelerator import HardwareAccelerator
    from ai_edge_litert.options import CpuOptions, Options

    options = Options(hardware_accelerators=HardwareAccelerator.CPU, cpu_options=CpuOptions(num_threads=threads))
    compiled = CompiledModel.from_file(model, options=options)
    inputs, outputs = compiled.create_input_buffers(0), compiled.create_output_buffers(0)
    inputs[0].write(data)
    return lambda: compiled.run_by_index(0, inputs, outputs)


def _onnxruntime(model: str, data: np.ndarray, threads: int) -> Callable[[], object]:
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_ortvalue_input(session.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(data))
    binding.bind_output(session.get_outputs()[0].name)
    return lambda: session.run_with_iobinding(binding)


_ENGINES = {"litert": _litert, "onnxruntime": _onnxruntime}


def main(engine: str, model: str, data: str, threads: str, warmup: str, iterations: str) -> None:
    """Run `warmup` iterations, then time `iterations`."""
    run = _ENGINES[engine](model, np.load(data), int(threads))
    for _ in range(int(warmup)):
        run()
    latencies = []
    for _ in range(int(iterations)):
        start = time.perf_counter_ns()
        run()
        latencies.append(time.perf_counter_ns() - start)
    json.dump(latencies, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
