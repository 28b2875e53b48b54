"""Microseconds a customer for what the first line does with arrays, against River's own dictionary pipeline."""

import timeit
from collections.abc import Callable

import numpy as np

from models.apply import Columns, apply_round
from models.churn_model import ChurnModel
from models.crossing import next_crossing
from models.events import Channel
from models.features import NAMES, features
from models.scorer import Scorer
from models.state import new_rows, rows_to_bytes
from models.target import DAY_S, Target

N, ROUNDS, REPEATS = 500, 12, 5
START_S = 1_700_000_000
TARGET = Target(Channel.ORDER, 91 * DAY_S)


def _columns(rng: np.random.Generator, at_s: np.ndarray, offset: int) -> Columns:
    channel = rng.choice(3, N, p=[0.4, 0.4, 0.2]).astype("u1")
    ids = rng.integers(1, 2**63, N).astype("u8")
    amount = rng.gamma(2.0, 1500.0, N).astype("f4")
    return Columns(at_s.astype("u4"), channel, channel, np.full(N, offset), amount, ids, np.ones(N, bool))


def run() -> None:
    """Print the table."""
    rng = np.random.default_rng(3)
    rows, at_s = new_rows(N), np.full(N, START_S)
    for offset in range(ROUNDS):
        at_s = at_s + rng.integers(DAY_S, 20 * DAY_S, N)
        apply_round(rows, _columns(rng, at_s, offset), TARGET)
    rows, at_s = rows[rows["main_occasions"] > 0], at_s[rows["main_occasions"] > 0]
    model = ChurnModel.for_target(TARGET)
    examples = [
        {name: value for name, value in zip(NAMES, x, strict=True) if not np.isnan(value)}
        for x in features(rows, at_s, TARGET).tolist()
    ]
    for i, example in enumerate(examples):
        model.learn_one(example, i % 3 == 0)
    scorer = Scorer.from_snapshot(model.snapshot())
    fresh, events, n = new_rows(N), _columns(rng, np.full(N, START_S), 0), len(rows)
    ends = at_s + 2 * TARGET.horizon_s
    work: dict[str, tuple[Callable[[], object], int]] = {
        "River pipeline, predict one": (lambda: [model.score_one(example) for example in examples[:50]], 50),
        "River pipeline, learn one": (lambda: [model.learn_one(example, True) for example in examples[:50]], 50),
        "features": (lambda: features(rows, at_s, TARGET), n),
        "features and score": (lambda: scorer.probabilities(rows, at_s), n),
        "next crossing": (lambda: next_crossing(scorer, rows, at_s, ends, 0.9), n),
        "apply an event": (lambda: apply_round(fresh.copy(), events, TARGET), N),
        "row to bytes": (lambda: rows_to_bytes(rows), n),
    }
    print(f"models, batches of {N}, best of {REPEATS}")
    base = 0.0
    for name, (call, per_call) in work.items():
        us = min(timeit.repeat(call, number=10, repeat=REPEATS)) / 10 / per_call * 1e6
        base = base or us
        print(f"  {name:28} {us:8.2f} us   {us / base:6.2f} of River's prediction")
