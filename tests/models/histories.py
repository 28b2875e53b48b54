"""Made-up histories: rows to which events really happened, and a model that has learnt something from them."""

import math

import numpy as np

from models.apply import Columns, apply_round
from models.events import Channel
from models.features import HABIT_OF, NAMES, RHYTHM, SILENCE_OF, features
from models.groups import Group
from models.mixture import ChurnMixture
from models.scorer import Scorer
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
    """Features of customers in many stages of silence, and outcomes that have something to do with them.

    Returns
    -------
    x, y
        Shapes (n, d) and (n,), y = 1 churned.
    """
    rng = np.random.default_rng(seed + 1)
    rows = random_rows(n, seed, target)
    rows = rows[rows["last_at"][:, target.main] > 0]
    rows = rows[np.arange(n) % len(rows)]
    x = features(rows, NOW_S + rng.integers(0, 200 * DAY_S, n), target)
    silence, habit = x[:, RHYTHM], x[:, HABIT_OF[target.main][0]]
    bend = np.where(x[:, SILENCE_OF[target.main]] > 1.5, 1.0, 0.0)  # something that no straight line says
    chance = 1 / (1 + np.exp(1.5 - silence + 0.3 * habit - bend))
    return x, (rng.random(n) < chance).astype(float)


def teach(mixture, x, y, *, weeks=0, size=256):
    """Let a mixture learn examples, one week a group: step labels first, horizon labels a horizon later."""
    target = mixture.target
    parts = [slice(begin, begin + size) for begin in range(0, len(y), size)]
    frozen = [START_S + (weeks + week) * 7 * DAY_S for week in range(len(parts))]
    kept = []
    for part, at_s in zip(parts, frozen, strict=True):
        n = len(y[part])
        scorer = Scorer.of(mixture.snapshot())
        kept.append(scorer.expert_log_odds(x[part]))
        stayed = np.where(x[part, RHYTHM] > np.median(x[part, RHYTHM]), 1.0, y[part])  # a step is missed more often
        step = Group(x[part], stayed, np.full((n, 6), NAN), np.full(n, at_s), at_s + target.step_s, np.ones(n))
        mixture.learn_steps(step)
    for part, at_s, log_odds in zip(parts, frozen, kept, strict=True):
        n = len(y[part])
        mixture.learn_horizons(Group(x[part], y[part], log_odds, np.full(n, at_s), at_s + target.horizon_s, np.ones(n)))
    return mixture


def learnt_model(n=1500, target=TARGET, **options):
    """A mixture that has learnt both labels of `n` examples."""
    return teach(ChurnMixture.for_target(target, **options), *examples(n, seed=7, target=target))
