"""What comes from a device is read strictly: it is an event of our schema or an error without control characters."""

from __future__ import annotations

import json

import pytest

from pocketbench.harness.errors import RunnerError
from pocketbench.harness.runner.protocol import DoneEvent, EngineEvent, ModelEvent, one_event, parse_events
from pocketbench.harness.runner.tensors import DTYPES

DONE = b'{"schema":1,"event":"done"}\n'
TENSOR = {"name": "x", "dtype": "int8", "shape": [-1, 3], "scale": 0.5, "zero_point": -3}
MODEL = {"schema": 1, "event": "model", "model_init_ns": 5, "inputs": [TENSOR], "outputs": []}
ENGINE = {"schema": 1, "event": "engine", "name": "litert", "version": None, "engine_load_ns": 1}
SAMPLES = {"schema": 1, "event": "samples", "warmup": 1, "steady": 1, "flags": []}
MEMORY = {"schema": 1, "event": "memory", "stage": "end"} | dict.fromkeys(
    ("resident_bytes", "peak_resident_bytes", "pss_bytes", "private_clean_bytes", "private_dirty_bytes")
)


def line(fields: dict[str, object], /, **changes: object) -> bytes:
    return json.dumps(fields | changes).encode() + b"\n"


def refuse(stdout: bytes) -> str:
    with pytest.raises(RunnerError) as caught:
        parse_events(stdout)
    message = str(caught.value)
    assert message.isprintable()
    assert len(message) < 3000
    return message


def test_events_are_read():
    events = parse_events(line(ENGINE) + line(MODEL) + DONE)

    engine, model, done = events
    assert engine == EngineEvent.model_validate_json(line(ENGINE))
    assert isinstance(model, ModelEvent)
    assert model.inputs[0].facts().model_dump() == TENSOR | {"shape": (-1, 3)}
    assert isinstance(done, DoneEvent)


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_of_tensor_files_may_be_described(dtype):
    assert parse_events(line(MODEL, inputs=[TENSOR | {"dtype": dtype}]))


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"Welcome to Raspberry Pi OS!\n\n", id="login-message"),
        pytest.param(b"\xff\xfe\x00\x1b[2J\n", id="binary"),
        pytest.param(b"x" * 1_000_000 + b"\n", id="long"),
        pytest.param(b'not at the start of a line {"schema":1}\n', id="inside-a-line"),
    ],
)
def test_noise_before_the_first_event_is_skipped(noise):
    assert len(parse_events(noise + DONE)) == 1


@pytest.mark.parametrize("stdout", [pytest.param(b"", id="empty"), pytest.param(b"hello\n", id="only-noise")])
def test_no_event_is_no_event(stdout):
    assert parse_events(stdout) == []


def test_carriage_returns_of_a_terminal_do_no_harm():
    assert len(parse_events(DONE.replace(b"\n", b"\r\n"))) == 1


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(DONE[:-1], id="last-line-without-its-end"),
        pytest.param(DONE + b'{"schema":1,"ev', id="truncated-line"),
        pytest.param(DONE + b"oops\n", id="noise-after-events"),
        pytest.param(DONE + b"\n", id="empty-line"),
        pytest.param(line(ENGINE, schema=2), id="schema-from-the-future"),
        pytest.param(line(ENGINE, schema="1"), id="schema-as-text"),
        pytest.param(b'{"schema":1}\n', id="no-event"),
        pytest.param(line(ENGINE, event="reboot"), id="unknown-event"),
        pytest.param(line(ENGINE, event="\x1b[31m\n"), id="control-characters-in-event"),
        pytest.param(line(ENGINE, **{"\x1b]0;owned\x07": 1}), id="control-characters-in-key"),
        pytest.param(line(ENGINE, event="x" * 100_000), id="long-event"),
        pytest.param(line(ENGINE, extra=1), id="unknown-field"),
        pytest.param(line({k: v for k, v in ENGINE.items() if k != "version"}), id="missing-field"),
        pytest.param(line(ENGINE, engine_load_ns=-1), id="negative-time"),
        pytest.param(line(ENGINE, engine_load_ns=2**63), id="time-beyond-int64"),
        pytest.param(line(ENGINE, engine_load_ns=1.5), id="time-as-float"),
        pytest.param(line(ENGINE, engine_load_ns="1"), id="time-as-text"),
        pytest.param(line(ENGINE, engine_load_ns=True), id="time-as-bool"),
        pytest.param(line(ENGINE).replace(b"1}", b"1" * 10_000 + b"}"), id="number-of-ten-thousand-digits"),
        pytest.param(line(ENGINE).replace(b"1}", b"1e999}"), id="infinite-number"),
        pytest.param(line(ENGINE, name="tensorrt"), id="unknown-engine"),
        pytest.param(line(ENGINE, version="1.0\x1b[31m"), id="control-characters-in-version"),
        pytest.param(line(ENGINE, version="1" * 1000), id="long-version"),
        pytest.param(line(ENGINE, name="litert")[:-3] + b"\xff\xff\xff}\n", id="no-utf-8"),
        pytest.param(line({"schema": 1, "event": "stage", "stage": "\x1b[31m"}), id="unknown-stage"),
        pytest.param(line({"schema": 1, "event": "error", "stage": "\x07", "message": "m"}), id="stage-of-an-error"),
        pytest.param(line(MEMORY, stage="lunch"), id="memory-at-an-unknown-stage"),
        pytest.param(line(MEMORY, pss_bytes=-1), id="negative-memory"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"dtype": "object"}]), id="unknown-dtype"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"shape": [-2]}]), id="negative-dimension"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"shape": [2**63]}]), id="huge-dimension"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"shape": [1] * 17}]), id="too-many-dimensions"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"shape": ["3"]}]), id="dimension-as-text"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"scale": float("nan")}]), id="nan-scale"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"scale": float("inf")}]), id="infinite-scale"),
        pytest.param(line(MODEL, inputs=[TENSOR | {"zero_point": 2**63}]), id="huge-zero-point"),
        pytest.param(line(SAMPLES, warmup=-1), id="negative-count"),
        pytest.param(line(SAMPLES, steady=0), id="no-steady-sample"),
        pytest.param(line(SAMPLES, steady=1 << 23), id="more-samples-than-there-can-be"),
        pytest.param(line(SAMPLES, flags=["tired"]), id="unknown-flag"),
        pytest.param(line({"schema": 1, "event": "inferred", "runs": 0}), id="no-runs"),
        pytest.param(b'{"schema":1,"event":' + b"[" * 100_000 + b"\n", id="deep-nesting"),
        pytest.param(b'{"schema":' + b"\x00" * 100 + b"\n", id="zero-bytes"),
    ],
)
def test_what_is_not_exactly_an_event_is_refused(bad):
    message = refuse(bad)

    assert message.startswith("expected ")
    assert ", got " in message


def test_names_of_tensors_lose_their_control_characters():
    (event,) = parse_events(line(MODEL, inputs=[TENSOR | {"name": "a\x1b[31m\u202eb\n"}]))

    assert isinstance(event, ModelEvent)
    assert event.inputs[0].name == "a [31m b"


@pytest.mark.parametrize("times", [0, 2])
def test_an_event_that_must_be_there_once_is_there_once(times):
    with pytest.raises(RunnerError, match=f"exactly one EngineEvent from the runner, got {times}"):
        one_event(parse_events(line(ENGINE) * times + DONE), EngineEvent)
