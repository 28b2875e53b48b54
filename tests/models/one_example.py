"""One customer whose pending example is followed by hand: events, due times, what is kept."""

import numpy as np

from models.apply import Columns, apply_round
from models.events import Channel
from models.pending import FROZEN, freeze, next_label_at, resolve
from models.state import new_rows
from models.target import DAY_S, Target

H = 26 * DAY_S
STEP = 2 * DAY_S
TARGET = Target(Channel.ORDER, H)
START_S = 852_076_800  # 1997-01-01
NAN = float("nan")


def seconds(*values):
    return np.array(values, dtype=np.int64)


def happen(rows, at_s, channel=Channel.ORDER, engaged=True):
    """Apply one event to a single customer, with the next free offset."""
    values = (at_s, channel, channel, rows["applied"][0, channel] + 1, NAN, 0, engaged)
    dtypes = ["u4", "u1", "u1", "i8", "f4", "u8", "?"]
    event = Columns(*(np.array([value], dtype) for value, dtype in zip(values, dtypes, strict=True)))
    apply_round(rows, event, TARGET)


def fire(rows, at_s, p=0.25):
    """Do what is due at `at_s`: resolve, then freeze; as the partition's clock would."""
    resolved = None
    if rows["example_frozen"][0]:
        resolved = resolve(rows, TARGET)
    if next_label_at(rows, TARGET)[0] == at_s:
        freeze(rows, np.full((1, 2), [[at_s / 1e9, NAN]]), np.array([p]), seconds(at_s), TARGET)
    return resolved


def frozen_customer():
    """Make a customer with one order and an example frozen at START_S + 1."""
    rows = new_rows(1)
    happen(rows, START_S)
    fire(rows, START_S + 1)
    assert rows["example_frozen"][0] == FROZEN
    return rows


def to_horizon(rows):
    """Take the step label and return the horizon label."""
    assert resolve(rows, TARGET).is_step.all()
    return resolve(rows, TARGET)
