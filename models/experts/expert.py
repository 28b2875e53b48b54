"""What all experts have in common: a River classifier over the project's features.

An expert learns groups of labels as arrays and answers in log-odds; River's dictionaries, one label at a time, are
another way in to the same code.
"""

import abc
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from river import base

from models.events import Channel
from models.experts.formulas import probability
from models.features import INDEX, NAMES
from models.target import DAY_S, Target

Floats = NDArray[np.float64]


class Expert(base.Classifier):  # type: ignore[misc]  # River is Any to mypy, see follow_imports
    """P(no main event within the horizon) from features.

    Parameters
    ----------
    main
        Main channel by its name in lower case.
    horizon_s
        Horizon in seconds.
    calendar
        As in `Target`.
    """

    def __init__(self, main: str = "order", horizon_s: int = 91 * DAY_S, calendar: str = "") -> None:
        self.main = main
        self.horizon_s = horizon_s
        self.calendar = calendar

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Target(Channel[self.main.upper()], self.horizon_s, self.calendar)

    @abc.abstractmethod
    def learn(self, x: Floats, y: Floats, *, days: float = 0.0, weight: ArrayLike = 1.0) -> None:
        """Learn a group of labels of this expert's kind.

        Parameters
        ----------
        x
            Features when frozen, shape (n, `len(FEATURES)`), NaN = unknown, n >= 1.
        y
            1 = no main event within the step or horizon, else 0; shape (n,).
        days
            Event time since the group before, >= 0.
        weight
            How much each label counts, shape (n,) or one for all.
        """

    @abc.abstractmethod
    def log_odds(self, x: Floats) -> Floats:
        """Return the log-odds of no main event within the horizon, shape (n,), for features of shape (n, d)."""

    def learn_one(self, x: Mapping[str, float], y: bool) -> None:
        """Learn from one label.

        Parameters
        ----------
        x
            Known features by name, finite; names this code does not know are passed over.
        y
            True when the customer stayed away.

        Raises
        ------
        ValueError
            A feature is NaN or infinite: it would stay in the weights forever.
        """
        self.learn(as_row(x), np.array([float(y)]))

    def predict_proba_one(self, x: Mapping[str, float], **_: Any) -> dict[bool, float]:
        """Return P(returns) under False and P(churn) under True."""
        p = float(probability(self.log_odds(as_row(x)))[0])
        return {False: 1.0 - p, True: p}


def as_row(x: Mapping[str, float]) -> Floats:
    """Arrange named features as one row, shape (1, `len(FEATURES)`); unknown ones are NaN.

    Raises
    ------
    ValueError
        A feature is NaN or infinite.
    """
    row = np.full((1, len(NAMES)), np.nan)
    for name, value in x.items():
        if name in INDEX:
            if not math.isfinite(value):
                raise ValueError("a feature is not finite; leave unknown features out")
            row[0, INDEX[name]] = value
    return row
