"""Made-up histories: rows to which events really happened, and a model that has learnt something from them."""

import math

import numpy as np

from models.apply import Columns, apply_round
from models.churn_model import ChurnModel
from models.events import Channel
from models.features import NAMES, features
from models.state import new_rows
from models.target import DAY_S, Target

TARGET = Target(Channel.ORDER, 91 * DAY_S)
START_S = 852_076_800  # 1997-01-01
NOW_S = START_S + 400 * DAY_S
NAN = float("nan")
DTYPES = ("u4", "u1", "u1", "i8", "f4", "u8", "?")


def apply_one_each(rows, at_s, channel, amount, *, offset, target=TARGET):
    """Apply one event to each row."""
    n = len(rows)
    fields = (at_s, channel, channel, offset, amount, 0, True)
    columns = [np.broadcast_to(np.asarray(field, dtype), n) for field, dtype in zip(fields, DTYPES, strict=True)]
    apply_round(rows, Columns(*columns), target)


def customer(*events, target=TARGET):
    """One customer to whom (day, channel) or (day, channel, amount) happened."""
    rows = new_rows(1)
    for offset, (day, channel, *amount) in enumerate(events):
        apply_one_each(rows, START_S + round(day * DAY_S), channel, amount or [NAN], offset=offset, target=target)
    return rows


def random_rows(n, seed=0, target=TARGET):
    """Customers with rhythms of days to months over 400 days, some on one channel, some on all three."""
    rng = np.random.default_rng(seed)
    rows = new_rows(n)
    at_s = START_S + rng.uniform(0, 200 * DAY_S, n)
    pace_days = np.exp(rng.normal(2.5, 1.2, n))
    is_multi = rng.random(n) < 0.6
    for offset in range(30):
        channel = np.where(is_multi, rng.integers(0, 3, n), Channel.ORDER)
        amount = np.where(rng.random(n) < 0.9, np.exp(rng.normal(3, 1, n)), NAN)
        here = np.flatnonzero((at_s < NOW_S) & (rng.random(n) < 0.9))
        batch = rows[here]
        apply_one_each(batch, at_s[here], channel[here], amount[here], offset=offset, target=target)
        rows[here] = batch
        at_s += pace_days * rng.gamma(1.5, 1 / 1.5, n) * DAY_S
    return rows


def known(x):
    """One row of the feature matrix as a model gets it: by name, without the unknown ones."""
    return {name: value for name, value in zip(NAMES, x.tolist(), strict=True) if not math.isnan(value)}


def examples(n, seed=0, target=TARGET):
    """Features and outcomes that have something to do with each other."""
    rows = random_rows(n, seed, target)
    rows = rows[rows["last_at"][:, target.main] > 0]
    x = features(rows, NOW_S, target)
    rng = np.random.default_rng(seed + 1)
    silence, long = x[:, NAMES.index("main_rhythm")], x[:, NAMES.index("order_level")]
    chance = 1 / (1 + np.exp(1.0 - silence + 0.3 * np.nan_to_num(long)))
    return [(known(row), bool(y)) for row, y in zip(x, rng.random(len(x)) < chance, strict=True)]


def learnt_model(n=1500, target=TARGET):
    """A model that has learnt from about `n` examples."""
    model = ChurnModel.for_target(target)
    for x, y in examples(n, seed=7, target=target):
        model.learn_one(x, y)
    return model
