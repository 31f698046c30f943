"""What docs/store.md shows can be run as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from pocketbench.harness.store.store import Store
from tests.store.example_campaign import add, good_launch, samples

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text(encoding="utf-8")


def test_the_examples_run_and_print_what_is_in_the_store(home, monkeypatch, capsys):
    monkeypatch.setenv("POCKETBENCH_HOME", str(home))
    with Store(home) as store:
        jobs = add(store)
        for number in range(2):
            store.add_launch(good_launch(jobs["int8-tflite, 1 threads"], number), samples(7_000_000, 5_000, 5_000))
    examples = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(examples) == 2

    names: dict[str, object] = {}
    said = []
    for example in examples:
        exec(example, names)
        said.append(capsys.readouterr().out)

    assert "rounds_compared" in said[0]
    assert re.search(r"int8-tflite +1 +1\.5\n", said[1])
    assert re.search(r"count +2\.0\nmean +5000\.0\n", said[1])


def test_the_files_that_the_page_names_are_there(home):
    with Store(home) as store, store.hold("net"):
        jobs = add(store)
        job_id = next(iter(jobs.values()))
        store.add_launch(good_launch(job_id), samples(1, 2))
        there = {re.sub(r"[0-9a-f]{64}", "HASH", path.name) for path in home.rglob("*") if path.is_file()}

    assert there == {".pocketbench.db.lock", "pocketbench.db", "pocketbench.db-wal", "pocketbench.db-shm"} | {
        "HASH.parquet",
        "net.lock",
    }
