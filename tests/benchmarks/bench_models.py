"""Microseconds a customer or label for what models do with arrays, in a shop simulated and learnt for a year.

The mixture is a real one: linear and curved expert carry nearly all weight. Machines are noisy: the reference is
River's own dictionary pipeline in the same run.
"""

import time
import timeit
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from river import linear_model, optim, preprocessing

from models.apply import apply_round
from models.crossing import next_crossing
from models.explain import explain
from models.features import NAMES, features
from models.groups import GROUP_LABELS, Group
from models.mixture import KEPT_NAMES, ChurnMixture
from models.pending import is_live
from models.scorer import Scorer
from models.state import new_rows, rows_to_bytes
from models.target import DAY_S
from tests.models.logs import simulated_log, target_of, trained

N, REPEATS = 500, 40
MANY = 2_000
BARS_US = {"features and score": 3.0, f"next crossing, {MANY} at once": 10.0, "learn a horizon label": 150.0}


def _groups(x: np.ndarray, y: np.ndarray, at_s: int, wait_s: int) -> Group:
    which = np.arange(GROUP_LABELS) % len(y)
    kept = np.zeros((GROUP_LABELS, len(KEPT_NAMES)))
    at = np.full(GROUP_LABELS, at_s - wait_s)
    return Group(x[which].astype(np.float64), y[which], kept, at, at_s, np.ones(GROUP_LABELS))


def run() -> None:
    """Print the table."""
    target = target_of("steady")
    log = simulated_log("steady", 1_500, 400)
    shop = trained(log, target)
    mixture, scorer = shop.mixture, Scorer.of(shop.mixture.snapshot())
    live = np.flatnonzero(is_live(shop.rows, np.full(len(shop.rows), shop.at_s), target))
    rows = shop.rows[np.random.default_rng(3).choice(live, N, replace=False)]
    now = np.full(N, shop.at_s)
    silent_s = rows["last_at"][:, target.main].astype(np.int64) + 7 * DAY_S
    ends = silent_s + 2 * target.horizon_s
    more = np.resize(rows, MANY)
    together = [np.resize(column, MANY) for column in (silent_s, ends)]
    five = replace(scorer, weights=np.full(5, 0.2))
    x = features(rows, now, target)
    named = [{k: v for k, v in zip(NAMES, row, strict=True) if not np.isnan(v)} for row in x[:50].tolist()]
    river = preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.001))
    for example in named:
        river.learn_one(example, True)
    pupil = ChurnMixture.from_dict(mixture.to_dict())
    steps = _groups(shop.x, shop.y, shop.at_s, target.step_s)
    horizons = _groups(shop.x, shop.y, shop.at_s, target.horizon_s)
    fresh, events = new_rows(N), log.columns(np.arange(N))
    work: dict[str, tuple[Callable[[], object], int]] = {
        "River pipeline, predict one": (lambda: [river.predict_proba_one(example) for example in named], 50),
        "River pipeline, learn one": (lambda: [river.learn_one(example, True) for example in named], 50),
        "features": (lambda: features(rows, now, target), N),
        "features and score": (lambda: scorer.probabilities(rows, now), N),
        "log-odds of all experts": (lambda: scorer.expert_log_odds(x), N),
        "next crossing, all": (lambda: next_crossing(scorer, rows, silent_s, ends, 0.9), N),
        f"next crossing, {MANY} at once": (lambda: next_crossing(scorer, more, *together, 0.9), MANY),
        "next crossing, all experts": (lambda: next_crossing(five, rows, silent_s, ends, 0.9), N),
        "next crossing, cold": (lambda: next_crossing(Scorer.cold(target), rows, silent_s, ends, 0.9), N),
        "learn a step label": (lambda: pupil.learn_steps(steps), GROUP_LABELS),
        "learn a horizon label": (lambda: pupil.learn_horizons(horizons), GROUP_LABELS),
        "make snapshot and scorer": (lambda: Scorer.of(mixture.snapshot()), 1),
        "apply an event": (lambda: apply_round(fresh.copy(), events, target), N),
        "explain an alert": (lambda: explain(scorer, rows, now), N),
        "row to bytes": (lambda: rows_to_bytes(rows), N),
    }
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in mixture.weights.items())
    print(f"models, batches of {N}, groups of {GROUP_LABELS}, {mixture.n_labels:,} labels learnt, best of {REPEATS}")
    print(f"  weights: {weights}")
    base = 0.0
    for name, (call, per_call) in work.items():
        us = min(timeit.repeat(call, number=3, repeat=REPEATS, timer=time.process_time)) / 3 / per_call * 1e6
        base = base or us
        bar = f"   (bar: {BARS_US[name]:.0f})" if name in BARS_US else ""
        print(f"  {name:28} {us:8.2f} us   {us / base:6.2f} of River's prediction{bar}")
