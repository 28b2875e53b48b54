"""How unusual is this silence for this customer: a prior on churn from the personal rhythm alone.

Serves *features* and *score* on the line from event to alert. It needs no label, so it is what a fresh
installation knows; later it is one feature of the learnt model and keeps a fading share of the score.

The model has two parts, both in closed form.

* Gaps between occasions on the main channel are log-logistic: ``S(t) = 1 / (1 + (t / scale) ** shape)`` is
  the share of gaps longer than t. The log of a gap has the mean ``log(scale)`` and the variance
  ``pi**2 / (3 * shape**2)``; both are the row's own moments, shrunk towards the population as if
  `PRIOR_WEIGHT` gaps of the population had been seen before the customer's first [1]_. The log-logistic has
  a heavy tail, as gaps have, and needs neither an error function nor a table.
* After each occasion the customer may have left for good, with the probability
  ``d = A / (A + B + occasions - 1)``: the mean of a beta distribution that has seen ``occasions - 1`` returns
  and no departure, as in BG/NBD [2]_. The silence itself is the evidence whether it happened.

So after a silence s the probability of no event within the next H is
``R(s) = (d + (1 - d) * S(s + H)) / (d + (1 - d) * S(s))``.

A regular customer is *more* likely to come as the usual day draws near, so R first dips. Silence must never
speak in favour of a customer, therefore the prior is ``max(R(0), R(s))``, which does not fall as s grows.

One occasion, no gap: everything is the population's. Right after it R(0) is 0.65, moderate on purpose.

References
----------
.. [1] A. Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., 2.5: a normal mean under a conjugate prior.
.. [2] P. Fader, B. Hardie, K. Lee (2005), "Counting your customers" the easy way, Marketing Science 24(2).
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.clocks import RUNNING, ChannelClocks
from models.state import Rows
from models.target import DAY_S, Target

Floats = NDArray[np.float64]

# Population constants. They are scale free: the horizon is the only length of time an operator gives, and it
# is chosen about as long as customers usually stay away.
PRIOR_GAP_HORIZONS = 1.0  # typical gap, in horizons: with nothing known, back within H or later is even money
PRIOR_LOG_SPREAD = 1.8  # standard deviation of log gap: one factor of 6; covers weekly to yearly at H = 91 d
PRIOR_WEIGHT = 1.0  # gaps the population is worth: after one of their own a customer counts as much
# Measured against 2 gaps, at H = 91 d, AUC and log loss of this prior alone: simulated shop .926/.375 -> .934/.352,
# CDNOW .738/.497 -> .733/.500; of the learnt mixture .9489/.2674 -> .9490/.2678 and .7520/.5349 -> .7522/.5348. What
# has learnt loses nothing, and before that a weekly buyer is told of after some 39 days of silence instead of 69.
DROPOUT_A, DROPOUT_B = 0.6, 1.4  # weight of two occasions; 30 % leave after the first, 5 % after the eleventh

_LOG_LOGISTIC_SPREAD = math.pi / math.sqrt(3.0)  # standard deviation of log gap at shape 1


@dataclass(frozen=True)
class Rhythm:
    """What silence will be measured against: constant until the customer's next event.

    Parameters
    ----------
    last_at_s
        Last main event on the channel's clock, seconds; NaN = there never was one, and then all answers are NaN.
    log_scale
        Log of the typical gap in seconds.
    shape
        Regularity: 1 for a newcomer, up to 2.5 for a clockwork customer.
    dropout
        Probability of having left after the last occasion, in (0, 0.3].
    floor
        Log-odds right after the last main event.
    horizon_s
        Seconds, one number for all.

    All but the last have the shape (n,).
    """

    last_at_s: Floats
    log_scale: Floats
    shape: Floats
    dropout: Floats
    floor: Floats
    horizon_s: int

    @classmethod
    def of(cls, rows: Rows, target: Target, clocks: ChannelClocks = RUNNING) -> "Rhythm":
        """Read the rhythms of n customers on the main channel."""
        weight = rows["gap_weight"][:, target.main].astype(np.float64)
        total = weight + PRIOR_WEIGHT
        usual = math.log(PRIOR_GAP_HORIZONS * target.horizon_days)
        mean = (weight * rows["gap_mean"][:, target.main] + PRIOR_WEIGHT * usual) / total
        squares = rows["gap_m2"][:, target.main] + PRIOR_WEIGHT * PRIOR_LOG_SPREAD**2
        last_at = rows["last_at"][:, target.main].astype(np.float64)
        returns = np.maximum(rows["main_occasions"].astype(np.float64), 1.0) - 1.0
        rhythm = cls(
            last_at_s=clocks.read(target.main, np.where(last_at > 0, last_at, np.nan)),
            log_scale=mean + math.log(DAY_S),
            shape=_LOG_LOGISTIC_SPREAD / np.sqrt(squares / total),
            dropout=DROPOUT_A / (DROPOUT_A + DROPOUT_B + returns),
            floor=np.full(len(rows), -np.inf),
            horizon_s=target.horizon_s,
        )
        floor, _ = rhythm.at(rhythm.last_at_s)
        return replace(rhythm, floor=floor)

    def at(self, at_s: ArrayLike) -> tuple[Floats, Floats]:
        """Measure the silence at a moment.

        Parameters
        ----------
        at_s
            Seconds on the main channel's clock, shape (n,) or (m, n). A moment before the last main event counts as
            that event.

        Returns
        -------
        tuple of ndarray
            Log-odds of no main event within the next H, and the share of gaps that are longer than this
            silence, in [0, 1]; both of the shape of `at_s`.
        """
        # A second at least: the logarithm wants a positive number, and no gap is known to the second.
        silence_s = np.asarray(at_s, np.float64) - self.last_at_s
        np.maximum(silence_s, 1.0, out=silence_s)
        later, now = self._scaled(silence_s + self.horizon_s), self._scaled(silence_s)
        beyond = 1.0 + now
        # R / (1 - R) with S = 1 / (1 + now), multiplied out: one logarithm, and no difference of two numbers
        # near 1 when silence is long.
        comes_back = np.subtract(later, now, out=now)
        comes_back *= 1.0 - self.dropout
        odds = np.multiply(self.dropout, later, out=later)
        odds += 1.0
        odds *= beyond
        odds /= comes_back
        log_odds = np.log(odds, out=odds)
        return np.maximum(log_odds, self.floor, out=log_odds), np.divide(1.0, beyond, out=beyond)

    def _scaled(self, silence_s: Floats) -> Floats:
        """Return ``(t / scale) ** shape``, written over t."""
        power = np.log(silence_s, out=silence_s)
        power -= self.log_scale
        power *= self.shape
        return np.exp(power, out=power)

    def take(self, which: NDArray[np.intp]) -> "Rhythm":
        """Return the rhythms of some of the customers."""
        return Rhythm(
            self.last_at_s[which],
            self.log_scale[which],
            self.shape[which],
            self.dropout[which],
            self.floor[which],
            self.horizon_s,
        )


def prior_log_odds(rows: Rows, at_s: ArrayLike, target: Target) -> Floats:
    """Score from the personal rhythm alone: log-odds of no main event within the next horizon.

    Parameters
    ----------
    rows
        Shape (n,).
    at_s
        When, epoch seconds, shape (n,) or one for all.
    target
        Main channel and horizon.

    Returns
    -------
    ndarray
        Shape (n,); NaN for a customer without any main event: nobody has left who never came.

    Examples
    --------
    A newcomer, right after the first order and half a horizon later:

    >>> from models.events import Channel
    >>> from models.state import new_rows
    >>> target = Target(Channel.ORDER, 91 * DAY_S)
    >>> row = new_rows(1)
    >>> row["last_at"][:, Channel.ORDER], row["main_occasions"] = 1_000_000_000, 1
    >>> [round(float(1 / (1 + np.exp(-prior_log_odds(row, 1_000_000_000 + silence * DAY_S, target))[0])), 2)
    ...  for silence in (0, 45.5)]
    [0.65, 0.76]
    """
    return Rhythm.of(rows, target).at(at_s)[0]
