"""The runner's command line: complete and possible, or an error event at the stage "options" with exit code 1."""

from __future__ import annotations

import json

import pytest

PATHS = ("--engine", "onnxruntime", "--library", "/missing.so", "--model", "/missing")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([], "expected a mode", id="nothing"),
        pytest.param(["--version"], "expected --engine, --library and --model", id="no-mode"),
        pytest.param(
            ["train", *PATHS],
            "expected the mode describe, bench, idle, infer, memory or profile, got 'train'",
            id="mode",
        ),
        pytest.param(["describe", "--engine", "litert"], "expected --engine, --library and --model", id="paths"),
        pytest.param(
            ["describe", *PATHS[2:], "--engine", "tflite"], "litert or onnxruntime, got 'tflite'", id="engine"
        ),
        pytest.param(["describe", *PATHS, "--fast", "1"], "expected a known option, got '--fast'", id="option"),
        pytest.param(["describe", *PATHS, "--threads"], "expected a value after --threads", id="no-value"),
        pytest.param(["describe", *PATHS, "--threads", "0"], "from 1 to 1024 for --threads, got '0'", id="too-small"),
        pytest.param(["describe", *PATHS, "--threads", "1025"], "from 1 to 1024", id="too-large"),
        pytest.param(["describe", *PATHS, "--threads", "2x"], "expected a whole number", id="no-number"),
        pytest.param(["describe", *PATHS, "--threads", ""], "expected a whole number", id="empty"),
        pytest.param(["describe", *PATHS, "--seed", "9" * 30], "expected a whole number", id="beyond-int64"),
        pytest.param(["bench", *PATHS], "expected --samples with bench", id="no-samples"),
        pytest.param(["bench", *PATHS, "--samples", "s", "--iterations", "0"], "from 1 to", id="no-iterations"),
        pytest.param(["infer", *PATHS, "--input", "i"], "expected --input and --output with infer", id="no-output"),
        pytest.param(["describe", *PATHS, "--max-time-ms", "10"], "at least --min-time-ms", id="times"),
        pytest.param(["profile", *PATHS], "expected --profile with profile, and only there", id="no-profile"),
        pytest.param(["bench", *PATHS, "--profile", "p"], "expected --profile with profile", id="no-profiling"),
        pytest.param(["idle", *PATHS, "--streams", "2"], "expected --streams with bench only", id="streams"),
        pytest.param(["idle", *PATHS, "--sensors", "s"], "expected --sensors and --readings together", id="sensors"),
        pytest.param(["idle", *PATHS, "--sampler-cores", "0"], "expected --sensors with", id="sampler-cores"),
        pytest.param(["describe", *PATHS, "--cores", "0,,1"], "expected core numbers", id="cores"),
        pytest.param(["describe", *PATHS, "--cores", "0x1"], "expected core numbers", id="cores-as-mask"),
        pytest.param(["describe", *PATHS, "--cores", " 0"], "expected core numbers", id="cores-with-space"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_loaded(launch, arguments, words):
    completed = launch(*arguments)

    *_, last = [json.loads(line) for line in completed.stdout.splitlines()]
    assert completed.exit_code == 1
    assert (last["event"], last["stage"]) == ("error", "options")
    assert words in last["message"]
    assert words in completed.stderr.decode()


def test_help_names_every_option(launch):
    completed = launch("--help")

    assert completed.exit_code == 0
    for option in ("--engine", "--library", "--model", "--threads", "--cores", "--seed", "--input", "--output"):
        assert option in completed.stdout.decode()
    for option in ("--warmup-iterations", "--warmup-time-ms", "--iterations", "--min-time-ms", "--max-time-ms"):
        assert f"  {option} N" in completed.stdout.decode()


@pytest.mark.parametrize(
    ("changes", "stage", "words"),
    [
        pytest.param({"--library": "/missing.so"}, "engine_load", "cannot load the engine: /missing.so", id="library"),
        pytest.param({"--model": "/missing"}, "model_load", "expected a readable model file, got /missing", id="model"),
        pytest.param({"--engine": "litert"}, "engine_load", "function LiteRtCreateEnvironment", id="other-engine"),
    ],
)
def test_files_that_are_not_there_or_of_another_kind_are_named(launch, fakes, tmp_path, changes, stage, words):
    (tmp_path / "model").write_text("")
    options = {"--engine": "onnxruntime", "--library": fakes["onnxruntime"], "--model": tmp_path / "model"} | changes

    completed = launch("describe", *(part for option in options.items() for part in option))

    last = json.loads(completed.stdout.splitlines()[-1])
    assert (completed.exit_code, last["stage"]) == (1, stage)
    assert words in last["message"]


def test_a_samples_file_that_cannot_be_written_is_refused_before_the_warm_up(launch, fakes, tmp_path):
    (tmp_path / "model").write_text("input x 1 1 1\noutput y 1 1 1\n")
    paths = ("--engine", "onnxruntime", "--library", fakes["onnxruntime"], "--model", tmp_path / "model")

    completed = launch("bench", *paths, "--samples", tmp_path / "missing" / "samples")

    events = [json.loads(line) for line in completed.stdout.splitlines()]
    assert (completed.exit_code, events[-1]["stage"]) == (1, "samples")
    assert "No such file or directory" in events[-1]["message"]
    assert "warmup" not in [event.get("stage") for event in events]
