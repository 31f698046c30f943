"""How a campaign is named on the command line."""

from __future__ import annotations

import pytest

from pocketbench.checked.errors import InputError
from tests.store.example_campaign import campaign

KNOWN = ["20260101T000000Z-net-00aa", "20260102T000000Z-net-00bb", "20260102T000000Z-net-00cc"]


@pytest.fixture
def filled(store):
    # 00bb began in the same millisecond as 00cc.
    for identifier, day in zip(KNOWN, (1, 2, 2), strict=True):
        record = campaign(identifier, started_at=f"2026-01-0{day}T00:00:00.000Z")
        store.add_campaign(record, [], [], [])
    return store


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("last", KNOWN[2], id="last"),
        pytest.param(KNOWN[1], KNOWN[1], id="whole"),
        pytest.param("20260101", KNOWN[0], id="start"),
        pytest.param(KNOWN[1][:-1], KNOWN[1], id="start up to the last letter"),
    ],
)
def test_a_campaign_is_found(filled, text, expected):
    assert filled.resolve(text) == expected


def test_last_is_the_first_that_is_listed(filled):
    assert filled.resolve("last") == filled.campaigns()[0]["campaign_id"]


def test_a_whole_identifier_wins_over_a_longer_one(filled):
    filled.add_campaign(campaign(KNOWN[0] + "a"), [], [], [])

    assert filled.resolve(KNOWN[0]) == KNOWN[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "20260102", f"got '20260102', which 2 have: give more of it, as in {KNOWN[2]}, {KNOWN[1]}", id="two"
        ),
        pytest.param("20260101T000000Z-nett-00aa", f"did you mean '{KNOWN[0]}'", id="nearly"),
        pytest.param("", f"got ''; Known: {', '.join(KNOWN)}", id="nothing"),
        pytest.param("%", f"got '%'; Known: {', '.join(KNOWN)}", id="a pattern of SQL"),
    ],
)
def test_what_is_not_one_campaign_is_refused_with_the_nearest(filled, text, words):
    with pytest.raises(InputError) as caught:
        filled.resolve(text)

    assert words in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_long_list_is_cut(store):
    for number in range(30):
        store.add_campaign(campaign(f"campaign-{number:02}", started_at=f"2026-01-{number + 1:02}"), [], [], [])

    with pytest.raises(InputError, match=r"campaign-29 \(`pocketbench results list` shows all\)") as caught:
        store.resolve("zzz")

    assert "campaign-19" not in str(caught.value)


@pytest.mark.parametrize("text", ["last", "2026"])
def test_an_empty_store_says_what_to_run(store, text):
    with pytest.raises(
        InputError, match=f"got {text!r} while the store has none yet: run `pocketbench demo` or `pocketbench run`"
    ):
        store.resolve(text)
