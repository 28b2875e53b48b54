"""A snapshot is sound numbers in plain JSON, or it is refused."""

import json
import math

import numpy as np
import pytest
from histories import TARGET, learnt_model
from hypothesis import given
from hypothesis import strategies as st

from models import snapshot as snapshots
from models.events import Channel
from models.experts import NAMES as EXPERTS
from models.features import NAMES
from models.mixture import ChurnMixture
from models.newer import NewerVersionError
from models.scorer import Scorer
from models.snapshot import FORMAT_VERSION, MAX_BYTES, SnapshotError
from models.target import DAY_S, Target

SNAPSHOT = learnt_model(600).snapshot(effective_at_s=7_200)
GOOD = json.loads(snapshots.encode(SNAPSHOT))
COLUMNS = [name for name, value in GOOD.items() if isinstance(value, list) and name != "features"]
NUMBERS = ["level_shift", "hazard_level"]


def test_it_is_small_plain_json_and_comes_back_the_same():
    data = snapshots.encode(SNAPSHOT)
    assert len(data) < MAX_BYTES / 4
    assert json.loads(data)["features"] == list(NAMES)
    assert snapshots.decode(data) == SNAPSHOT
    assert snapshots.from_dict(snapshots.to_dict(SNAPSHOT)) == SNAPSHOT == snapshots.from_dict(GOOD)


def test_the_numbers_come_back_to_the_last_bit():
    back = snapshots.decode(snapshots.encode(SNAPSHOT))
    for name in COLUMNS:
        assert np.array(getattr(back, name)).tobytes() == np.array(getattr(SNAPSHOT, name)).tobytes()


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


BAD = {
    "another format": {**GOOD, "format": "pickle"},
    "no format": without("format"),
    "an earlier version": {**GOOD, "version": 1},
    "a version in words": {**GOOD, "version": "two"},
    "no version": without("version"),
    "no weights": without("weights"),
    "an unknown field": {**GOOD, "code": "import os"},
    "text for a weight": {**GOOD, "linear": ["0.1", *GOOD["linear"][1:]]},
    "an unknown feature": {**GOOD, "features": ["shoe_size", *NAMES[1:]]},
    "a feature twice": {**GOOD, "features": [NAMES[1], *NAMES[1:]]},
    "an unknown main channel": {**GOOD, "main": "fax"},
    "a horizon of an hour": {**GOOD, "horizon_s": 3_600},
    "labels below zero": {**GOOD, "n_labels": -1},
    "half a step label": {**GOOD, "n_steps": 0.5},
    "in effect before time": {**GOOD, "effective_at_s": -1},
    "weights that sum to two": {**GOOD, "weights": [2 * weight for weight in GOOD["weights"]]},
    "a weight below zero": {**GOOD, "weights": [-0.5, 1.5, *[0.0] * (len(EXPERTS) - 2)]},
    "a million features": {**GOOD, "features": ["order_silence"] * 1_000_000},
}


@pytest.mark.parametrize("plain", BAD.values(), ids=BAD.keys())
def test_a_snapshot_that_is_not_sound_is_refused(plain):
    with pytest.raises(SnapshotError):
        snapshots.from_dict(plain)
    with pytest.raises(SnapshotError):
        Scorer.from_snapshot(plain)


def test_a_snapshot_of_a_newer_release_is_told_apart_from_a_damaged_one():
    plain = {"format": GOOD["format"], "version": FORMAT_VERSION + 1, "weights": "in another form"}
    with pytest.raises(NewerVersionError, match="model snapshot has version 3, this code reads version 2"):
        snapshots.from_dict(plain)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", [*COLUMNS, *NUMBERS])
def test_a_number_that_is_none_is_refused_wherever_it_stands(name, value):
    broken = value if name in NUMBERS else [*GOOD[name][:-1], value]
    with pytest.raises(SnapshotError):
        snapshots.from_dict({**GOOD, name: broken})


@given(st.sampled_from([*COLUMNS, "features"]), st.integers(-3, 3).filter(bool))
def test_a_column_of_another_length_is_refused(name, difference):
    column = GOOD[name]
    other = column[:difference] if difference < 0 else column + column[:difference]
    with pytest.raises(SnapshotError):
        snapshots.from_dict({**GOOD, name: other})


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"null", b"{", b'{"weights": NaN}', b"\x80\x04K\x01.", b" " * (MAX_BYTES + 1)]
)
def test_bytes_that_are_no_snapshot_are_refused(data):
    with pytest.raises(SnapshotError):
        snapshots.decode(data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(data):
    with pytest.raises(SnapshotError):
        snapshots.decode(data)


@pytest.mark.parametrize(
    "target", [TARGET, Target(Channel.EMAIL_OPEN, 28 * DAY_S), Target(Channel.LOGIN, 14 * DAY_S, "JP")]
)
def test_the_target_travels_with_the_numbers(target):
    snapshot = snapshots.decode(snapshots.encode(ChurnMixture.for_target(target).snapshot()))
    assert snapshot.target == target == Scorer.of(snapshot).target
