"""What survey.sh prints, and what is left out of it."""

from __future__ import annotations

import pytest

from pocketbench.harness.deploy.deployment import deploy
from pocketbench.harness.deploy.layout import Layout
from pocketbench.harness.deploy.survey import parse_survey, split_marked, survey
from pocketbench.harness.errors import DeploymentError
from pocketbench.harness.transports.base import Completed

A, B, TOKEN = "a" * 64, "b" * 64, "0" * 32
# toybox 0.8.9 and mksh 59c
OUTPUT = f"""\
M tool stat
M tool sha256sum
M space
Filesystem     1024-blocks     Used Available Capacity Mounted on
/dev/block/dm-5   113139716 98765432  14374284      88% /data
M current 20260102T030405Z-0123456789ab-01234567/deployment.json
M links
11 deployments/x/20260102T030405Z-0123456789ab-01234567/model.onnx
12 deployments/x/20260102T030405Z-0123456789ab-01234567/$(reboot)
M work
M objects
3 1795582737 1795582737 11 444 objects/{A}
3 1795582737 1795582738 12 555 objects/{B}
3 1795582737 1795582737 13 444 objects/notes
3 1795582737 1795582737 13 444 objects/{A}/{B}
M verified
3 1795582737 1795582737 11 444 objects/{A}
3 1795582737 1795582737 12 555 objects/{B}
M incoming
1000 incoming/{TOKEN}/o/{A}
0 incoming/{TOKEN}/lock
7 incoming/notes/o/{A}
M end
"""


def read(output):
    return parse_survey(output.encode(), "M", "x", None, "pi")


def test_a_capture_is_read():
    seen = read(OUTPUT)
    assert seen.tools == {"stat", "sha256sum"}
    assert seen.available_bytes == 14374284 * 1024
    assert seen.current == "20260102T030405Z-0123456789ab-01234567/deployment.json"
    assert seen.links == {"model.onnx": "11"}
    assert seen.has_work
    assert {name: (entry.executable, entry.verified) for name, entry in seen.objects.items()} == {
        A: (False, True),
        B: (True, False),  # its time of change is another one
    }
    assert seen.partials == {TOKEN: {A: 1000}}
    assert seen.used_bytes == 1006


@pytest.mark.parametrize("current", ["../../../etc/passwd", "x/deployment.json\x1b[31m", "/", "x" * 100])
def test_a_strange_link_is_taken_for_none(current):
    assert read(OUTPUT.replace("20260102T030405Z-0123456789ab-01234567/deployment.json", current, 1)).current == ""


def test_nothing_before_the_first_mark_counts():
    assert [word for word, _, _ in split_marked(b"noise M tool x\nM tool stat\r\n more", "M")] == ["tool"]


def test_a_shell_that_does_something_else_is_told(transport, directory):
    transport.alter = lambda completed: Completed(completed.argv, 0, b"welcome\n", b"", 0.0)
    with pytest.raises(DeploymentError, match=r"expected to look into .* got exit code 0: welcome\. May we read it"):
        survey(transport, Layout(directory), "x")


def test_megabytes_of_noise_are_no_survey(transport, directory, make_plan):
    transport.alter = lambda completed: Completed(completed.argv, 0, b"\xff\n" * 5_000_000, b"", 0.0)
    with pytest.raises(DeploymentError) as caught:
        deploy(transport, directory, make_plan({"m": b"one"}), check=lambda deployment: None)
    assert len(str(caught.value)) < 1000
