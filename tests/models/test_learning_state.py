"""The trainer's state as bytes: read back only if nothing is wrong with it."""

import math

import pytest

from models.contest import Options
from models.learning_state import MAX_BYTES, decode, encode, target_of
from models.newer import NewerVersionError
from models.snapshot import SnapshotError
from models.target import DAY_S, Target
from models.trainer import Trainer
from tests.models.histories import TARGET
from tests.models.label_log import ALONE, LOG, H, taught, trainer


class TestState:
    def test_is_json_within_the_bound_and_says_what_it_predicts(self):
        teacher = trainer(options=Options())
        taught(teacher, LOG)
        data = encode(teacher.to_dict())
        assert len(data) < MAX_BYTES / 4
        assert target_of(data) == TARGET

    @pytest.mark.parametrize("missing", sorted(trainer(options=Options()).to_dict()))
    def test_is_refused_when_something_is_missing(self, missing):
        plain = trainer(options=Options()).to_dict()
        del plain[missing]
        with pytest.raises(SnapshotError):
            Trainer.from_dict(plain, TARGET, 1, Options())

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (("version",), 2), (("format",), "yocho-model"), (("more",), 1), (("positions",), {"-1": 3}),
            (("positions",), {"0": -3}), (("since_snapshot",), -1), (("main",), "login"), (("calendar",), "JP"),
            (("horizon_s",), H + 1),
            (("contest", "champion"), None), (("contest", "challenger"), None), (("contest", "champion"), {}),
            (("contest", "champion", "version"), 0), (("contest", "champion", "level"), {}),
            (("contest", "champion", "linear", "weights"), [math.nan]), (("contest", "duel"), {}),
            (("contest", "options"), {}), (("drift",), {}), (("drift", "inputs"), {}), (("reliability",), {}),
            (("reliability", "said"), [math.nan] * 10),
        ],
    )  # fmt: skip
    def test_is_refused_when_it_is_damaged(self, place, value):
        plain = trainer(options=Options()).to_dict()
        inner = plain
        for key in place[:-1]:
            inner = inner[key]
        inner[place[-1]] = value
        with pytest.raises(SnapshotError):
            Trainer.from_dict(plain, TARGET, 1, Options())

    def test_of_another_target_is_refused(self):
        with pytest.raises(SnapshotError, match="predicts"):
            Trainer.from_dict(trainer().to_dict(), Target(TARGET.main, H + DAY_S), 1, ALONE)

    @pytest.mark.parametrize(
        "data",
        [
            b"", b"{", b"null", b"[]", b'{"format":"yocho-trainer"}', b" " * (MAX_BYTES + 1), b"\xff",
            b'{"format":"x","version":1,"main":"order","horizon_s":1,"calendar":""}',
            b'{"format":"yocho-trainer","version":1,"main":"order","horizon_s":1,"calendar":""}',
            b'{"format":"yocho-trainer","version":1,"main":"visit","horizon_s":86400,"calendar":""}',
        ],
    )  # fmt: skip
    def test_bytes_that_are_none_are_refused(self, data):
        with pytest.raises(SnapshotError):
            decode(data)

    @pytest.mark.parametrize("rest", [b"", b',"main":"order","horizon_s":86400,"calendar":""', b',"main":{"of":1}'])
    def test_of_a_newer_release_is_told_apart_from_a_damaged_one_whatever_else_it_holds(self, rest):
        with pytest.raises(NewerVersionError, match="trainer's state has version 2, this code reads version 1"):
            target_of(b'{"format":"yocho-trainer","version":2' + rest + b"}")

    def test_of_a_newer_mixture_is_told_apart_too(self):
        plain = trainer(options=Options()).to_dict()
        plain["contest"]["challenger"]["version"] = 99
        with pytest.raises(NewerVersionError, match="mixture"):
            Trainer.from_dict(plain, TARGET, 1, Options())

    def test_that_is_too_large_is_not_written(self):
        with pytest.raises(SnapshotError, match="more than"):
            encode({"too much": "x" * MAX_BYTES})
