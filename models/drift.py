"""Notices that losses or inputs left the level they had: when to distrust the model.

Serves *trainer* on the second line. The Page-Hinkley test [1]_ [2]_ adds up how far values lie above their running
mean, less an allowance, and never lets the sum fall below zero. Chance keeps it near zero; a new level makes it climb
until it passes a threshold. A second sum looks below the mean.

It is River's `drift.PageHinkley` with ``alpha=1``, in units with a meaning and as bounded numbers. River's default
fades the sums, which cancels the allowance after some ten thousand values, and then chance alone raises alarms. River's
ADWIN keeps its buckets in compiled code: it could not be written down, and a restart would forget them.

Losses are measured in nats and inputs in their own running standard deviation; either way a label counts for `CLIP` at
most, so that one wild value is no drift. After an alarm the test starts anew and learns the new level, so one shift is
reported once. An input that must move, such as the tenure of a growing base or the month of the year, will be reported
again and again: leave it out of the names that are watched.

References
----------
.. [1] E. S. Page (1954), Continuous inspection schemes, Biometrika 41.
.. [2] D. Hinkley (1971), Inference about the change-point from cumulative sum tests, Biometrika 58.
.. [3] D. Siegmund (1985), Sequential Analysis, Springer, chapter 2.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

CLIP = 5.0  # nats or standard deviations
MIN_VALUES = 30  # before the first alarm
LIMIT = 1e12  # its square still fits; what is larger counts as unknown

Direction = Literal["up", "down"]
Amount = Annotated[float, msgspec.Meta(ge=0.0, le=1e300)]
Finite = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Rule(NamedTuple):
    """When values have left their level.

    Parameters
    ----------
    allowance
        Distance from the mean that is ignored, > 0. Half the shift that matters finds it soonest.
    threshold
        Sum of what exceeds the allowance, > 0.
    standardise
        Whether both are in running standard deviations of the values, and not in their own unit.
    """

    allowance: float
    threshold: float
    standardise: bool


# A shift of the mean by d is found after about threshold / (d - allowance) values. Chance alone needs of the order of
# exp(2 allowance threshold / variance) values, if they are spread like a bell [3].
LOSS = Rule(0.075, 40.0, standardise=False)
"""0.15 nats are found in about 530 labels. 15 million losses of the largest variance that calibrated predictions can
have (0.44, when all are near 0.92) raised 3 false alarms."""
INPUT = Rule(0.5, 100.0, standardise=True)
"""One standard deviation is found in about 200 labels. Independent labels will not raise a false alarm in a lifetime,
which leaves room for the likeness of labels of one day."""


@dataclass(slots=True)
class PageHinkley:
    """The test on one series, in both directions; its fields are its whole state.

    Parameters
    ----------
    count, mean, squares
        Values since the last alarm, their mean, and the sum of their squared deviations.
    up, down
        Deviations beyond the allowance, >= 0.

    Examples
    --------
    >>> test, rule = PageHinkley.fresh(), Rule(0.5, 10.0, standardise=False)
    >>> for i in range(1_100):
    ...     if direction := test.update(0.0 if i < 1_000 else 1.0, rule):
    ...         print(direction, i)
    up 1020
    """

    count: Count
    mean: Finite
    squares: Amount
    up: Amount
    down: Amount

    @classmethod
    def fresh(cls) -> "PageHinkley":
        """Start knowing nothing. The fields have no defaults, so that none can be missing from a saved test."""
        return cls(0, 0.0, 0.0, 0.0, 0.0)

    def update(self, value: float, rule: Rule) -> Direction | None:
        """Take one value.

        Parameters
        ----------
        value
            NaN, and what is not below `LIMIT` in size, counts as unknown and changes nothing.
        rule
            The same for all values of a series.

        Returns
        -------
        "up", "down" or None
            Where the mean went, if an alarm is raised. The test has then started anew.
        """
        if not -LIMIT < value < LIMIT:
            return None
        value = float(value)  # a NumPy scalar would stay in the state and could not be written down
        allowance, threshold, standardise = rule
        self.count = count = self.count + 1
        surprise = value - self.mean
        step = surprise / count
        self.mean += step
        deviation = surprise - step  # from the mean that includes the value, as Page and Hinkley have it
        self.squares = squares = self.squares + surprise * deviation
        if standardise and squares > 0.0:
            deviation /= math.sqrt(squares / count)
        if not -CLIP < deviation < CLIP:  # `min` and `max` would cost more than all of the arithmetic
            deviation = math.copysign(CLIP, deviation)
        up, down = self.up + deviation - allowance, self.down - deviation - allowance
        self.up = up if up > 0.0 else 0.0
        self.down = down if down > 0.0 else 0.0
        if (up <= threshold and down <= threshold) or count < MIN_VALUES:
            return None
        self.count, self.mean, self.squares, self.up, self.down = 0, 0.0, 0.0, 0.0, 0.0
        return "up" if up > down else "down"


class Drift(msgspec.Struct, frozen=True):
    """One alarm.

    Parameters
    ----------
    kind
        "loss": predictions became worse or better. "input": customers look different from before.
    name
        "loss", or the feature.
    direction
        Where the mean went. Only a loss that goes up is bad in itself.
    at_label
        Number of the label that raised it, counted from 1.
    """

    kind: Literal["loss", "input"]
    name: str
    direction: Direction
    at_label: int


class _State(msgspec.Struct, forbid_unknown_fields=True):
    labels: Count
    loss: PageHinkley
    inputs: dict[str, PageHinkley]


class DriftWatch:
    """Watches the prequential loss and the inputs of every label.

    Parameters
    ----------
    names
        Features to watch.

    Examples
    --------
    >>> watch = DriftWatch(["order_silence"])
    >>> for i in range(2_000):
    ...     for drift in watch.update(0.5 if i < 1_000 else 0.8, {"order_silence": float(i % 7)}):
    ...         print(drift.kind, drift.direction, drift.at_label)
    loss up 1202
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._state = _State(0, PageHinkley.fresh(), {name: PageHinkley.fresh() for name in names})

    @property
    def names(self) -> tuple[str, ...]:
        """Features that are watched."""
        return tuple(self._state.inputs)

    @property
    def labels(self) -> int:
        """Labels seen."""
        return self._state.labels

    def update(self, loss: float, x: Mapping[str, float]) -> list[Drift]:
        """Take one label.

        Parameters
        ----------
        loss
            Log loss of the prediction made before the outcome was known, in nats.
        x
            Known features, in their own units or standardised already, which makes no difference. Absent and NaN are
            unknown; names that are not watched are ignored.

        Returns
        -------
        list of Drift
            Empty, mostly.

        Raises
        ------
        ValueError
            The loss is NaN or not below `LIMIT` in size. Nothing was learnt.
        """
        if not -LIMIT < loss < LIMIT:
            raise ValueError("the loss is not a finite number")
        state, found = self._state, list[Drift]()
        state.labels += 1
        if direction := state.loss.update(loss, LOSS):
            found.append(Drift("loss", "loss", direction, state.labels))
        inputs = state.inputs
        for name, value in x.items():
            if name in inputs and (direction := inputs[name].update(value, INPUT)):
                found.append(Drift("input", name, direction, state.labels))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as JSON values; a watch from them goes on bit for bit."""
        plain: dict[str, Any] = msgspec.to_builtins(self._state)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "DriftWatch":
        """Go on with a watch.

        Parameters
        ----------
        plain
            What `to_dict` gave, from this process or through JSON. It says which features are watched.

        Raises
        ------
        ValueError
            A field is missing or unknown, or a number is out of range or not finite.
        """
        watch = cls(())
        watch._state = msgspec.convert(plain, _State)
        return watch
