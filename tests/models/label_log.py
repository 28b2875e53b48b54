"""Labels as a shop's partitions would bring them: both kinds, in the order they resolve, with places in the topic."""

from typing import NamedTuple

import msgspec
import numpy as np

from models.contest import Options
from models.labels import Label
from models.mixture import KEPT_NAMES
from models.target import DAY_S
from models.trainer import Trainer
from tests.models.histories import START_S, TARGET, examples, known

H, STEP = TARGET.horizon_s, TARGET.step_s
ALONE = Options(challenger_memory_days=0)
DAY_0 = (START_S + H) // DAY_S + 1


class Placed(NamedTuple):
    """A label and where it stands: arguments of `Trainer.learn`."""

    label: Label
    partition: int
    next_offset: int


def label_log(n_examples, *, days=300, partitions=2, seed=3, target=TARGET):
    """Step and horizon labels of `n_examples` examples that were frozen over so many days; a tenth on one of them."""
    rng = np.random.default_rng(seed)
    x, y = examples(n_examples, seed=seed, target=target)
    frozen_at_s = START_S + rng.integers(0, days * DAY_S, n_examples)
    frozen_at_s[rng.random(n_examples) < 0.1] = START_S + days // 2 * DAY_S  # more than one group in a day
    labels = []
    for number, (row, churned, at_s) in enumerate(zip(x, y > 0, frozen_at_s.tolist(), strict=True)):
        features, p = known(row), float(rng.uniform(0.05, 0.95))
        stayed = bool(churned or rng.random() < 0.5)
        experts = dict(zip(KEPT_NAMES, rng.normal(size=len(KEPT_NAMES)).tolist(), strict=True))
        name = f"c{number}"
        labels += [
            Label(name, at_s, at_s + target.step_s, stayed, p, features, kind="step"),
            Label(name, at_s, at_s + target.horizon_s, bool(churned), p, features, experts=experts),
        ]
    return placed(sorted(labels, key=lambda label: label.resolved_at_s), partitions)


def placed(labels, partitions=2):
    """Give labels their places, one partition after the other."""
    ends = [0] * partitions
    found = []
    for number, label in enumerate(labels):
        partition = number % partitions
        ends[partition] += 1
        found.append(Placed(label, partition, ends[partition]))
    return found


def waiting(log, positions):
    """What is left to read from these positions."""
    return [one for one in log if one.next_offset > positions.get(one.partition, 0)]


def label(at_s, kind="horizon", **changes):
    """A label that resolves at a moment."""
    waited_s = H if kind == "horizon" else STEP
    made = Label("c1", at_s - waited_s, at_s, True, 0.5, {"order_silence": 1.5}, kind=kind)
    return msgspec.structs.replace(made, **changes)


def on_day(day, second=0, **changes):
    return label((DAY_0 + day) * DAY_S + second, **changes)


def trainer(every=1, options=ALONE):
    return Trainer(TARGET, every, options)


def taught(teacher, log):
    """Let it learn; what came of it."""
    return [learnt for one in log if (learnt := teacher.learn(*one))]


LOG = label_log(350, days=60, partitions=3)
