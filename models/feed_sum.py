"""The cumulative sum that tells a source that is out from one whose customers are quiet.

Inside `models.feed`, beside the line from event to alert. In the operational time in which the expected number of
grows by one a unit (`models.feed_profile`), a healthy source is about a Poisson stream of rate one. Against it stands a
source thinned to `THINNED`, and the evidence is Page's one-sided sum [1]_ of the log-likelihood ratio:

    S rises by 1 - THINNED with each expected event, falls by |log THINNED| with each that comes, and never below 0

It grows by silence alone and by thinning alike: by whatever brings less than `BREAK_EVEN`, 39 %, of what is usual.
Silence is closed form, so the second at which S reaches the threshold is solved, and nobody has to look in between.
Once it did, the same sum runs in reverse, until it says that the source is back.

All arithmetic is in whole millionths, so that the second does not depend on how events were cut into batches.

References
----------
.. [1] E. S. Page (1954), Continuous inspection schemes, Biometrika 41, 100-115.
.. [2] G. Lorden (1971), Procedures for reacting to a change in distribution, Ann. Math. Statist. 42, 1897-1908.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.feed_profile import WEEK_HOURS, WEEK_S, WeekProfile, week_start
from models.target import HOUR_S

Seconds = NDArray[np.int64]

THINNED = 0.1
BREAK_EVEN = (1 - THINNED) / -math.log(THINNED)
STRENGTH = 20.0
"""For a Poisson source false alarms are rarer than one in exp(20) = 5e8 expected events [2]_: a hundred partitions of
three sources with 100 events an hour wait two years for one."""
MARGIN = 1.25
UNEVEN = 0.1
"""Of the busiest hour: an hour that begins with a campaign ends with a tenth of its events still expected."""
WEEKS_KNOWN = 2
LEAST_A_DAY = 24.0
"""Expected events: a dead source is noticed about a day after. Fewer come from so few customers that their silence
cannot be told from the source's."""

ONE = 1_000_000
_FALL = round(-math.log(THINNED) * ONE)


@dataclass(frozen=True, slots=True)
class Sum:
    """Where the sum stands.

    Parameters
    ----------
    at_s
        How far time has come, epoch seconds.
    score
        S, or the reverse sum while the source is stale, in millionths, >= 0.
    since_s
        Healthy: the latest event after which S was 0. Stale: the event with which the reverse sum left 0.
    stale_from_s
        When a stale source went quiet; 0 = healthy.
    peak
        Highest S of this week, while healthy.
    """

    at_s: int
    score: int = 0
    since_s: int = 0
    stale_from_s: int = 0
    peak: int = 0


@dataclass(frozen=True, eq=False)
class Expectation:
    """What a week of a profile means for the sum, in millionths.

    Parameters
    ----------
    profile
        Expected events.
    peak_ratio
        Highest S of healthy weeks, in weeks' worth of silence.
    """

    profile: WeekProfile
    peak_ratio: float = 0.0

    @cached_property
    def rises(self) -> Seconds:
        """Rise of S in silence in each hour, shape (168,)."""
        rises: Seconds = np.rint(self.profile.rate * ((1.0 - THINNED) * ONE)).astype(np.int64)
        return rises

    @cached_property
    def risen(self) -> Seconds:
        """Rise of S from the start of the week to that of each hour, and to its end, shape (169,)."""
        risen: Seconds = np.concatenate([[0], np.cumsum(self.rises)])
        return risen

    @cached_property
    def evidence(self) -> int:
        """How high a sum must be for chance not to explain it."""
        return round(STRENGTH * self.profile.dispersion * ONE)

    @cached_property
    def threshold(self) -> int:
        """From which S on the source is stale."""
        usual = round(MARGIN * self.peak_ratio * int(self.risen[-1]))
        return self.evidence + usual + round(UNEVEN * int(self.rises.max()))

    @cached_property
    def has_power(self) -> bool:
        """Whether enough is known and enough happens for silence to mean something."""
        often = self.profile.per_week >= 7 * LEAST_A_DAY
        return self.profile.weeks >= WEEKS_KNOWN and often and self.threshold <= int(self.risen[-1])

    def risen_at(self, second: Seconds) -> Seconds:
        """Rise of S from the start of the week to some seconds of it, 0 to `WEEK_S`, shape (m,)."""
        hour = np.minimum(second // HOUR_S, WEEK_HOURS - 1)
        done: Seconds = self.risen[hour] + self.rises[hour] * (second - hour * HOUR_S) // HOUR_S
        return done

    def second_of(self, risen: int) -> int:
        """First second of the week by which S has risen so much; beyond the week if it does not.

        Examples
        --------
        >>> steady = Expectation(WeekProfile(rate=np.full(WEEK_HOURS, 10.0)))
        >>> steady.second_of(9 * ONE), steady.second_of(9 * ONE + 1)
        (3600, 3601)
        """
        hour = int(np.searchsorted(self.risen, risen)) - 1
        if hour < 0:
            return 0
        if hour >= WEEK_HOURS:
            return WEEK_S + 1
        return hour * HOUR_S - (risen - int(self.risen[hour])) * -HOUR_S // int(self.rises[hour])


def walk(start: Sum, expected: Expectation, at_s: Seconds, until_s: int) -> tuple[Sum, int | None]:
    """Follow the sum through events and the silence between and after them.

    Parameters
    ----------
    start
        Where it stands.
    expected
        In force for the week `start` is in.
    at_s
        When events came, rising, in [start.at_s, until_s], shape (m,).
    until_s
        How far to go, within that week or to its end.

    Returns
    -------
    tuple
        Where the sum stands then, if nothing changes before; and the second from which the source is stale, or is no
        longer, None if nothing changes. The change comes before the events of its second.
    """
    times = np.concatenate([[start.at_s], at_s, [until_s]])
    risen = expected.risen_at(times - week_start(start.at_s))
    return (_while_stale if start.stale_from_s else _while_healthy)(start, expected, times, risen)


def _while_healthy(start: Sum, expected: Expectation, times: Seconds, risen: Seconds) -> tuple[Sum, int | None]:
    n = len(times) - 1  # the events, and the end
    unfloored = start.score + (risen[1:] - risen[0]) - _FALL * np.arange(n)  # just before each
    floor = np.minimum.accumulate(np.append(0, unfloored[:-1] - _FALL))
    score = unfloored - floor
    fell_to_zero = np.flatnonzero(floor[1:] < floor[:-1])
    end = replace(
        start,
        at_s=int(times[-1]),
        score=int(score[-1]),
        since_s=int(times[1 + fell_to_zero[-1]]) if fell_to_zero.size else start.since_s,
        peak=max(start.peak, int(score.max())),
    )
    over = np.flatnonzero(score >= expected.threshold) if expected.has_power else fell_to_zero[:0]
    if not over.size:
        return end, None
    first = int(over[0])
    reached = int(risen[1 + first]) - (int(score[first]) - expected.threshold)
    return end, max(start.at_s, week_start(start.at_s) + expected.second_of(reached))


def _while_stale(start: Sum, expected: Expectation, times: Seconds, risen: Seconds) -> tuple[Sum, int | None]:
    n = len(times) - 1
    unfloored = start.score - (risen[1:] - risen[0]) + _FALL * np.arange(n)  # just before each
    floor = np.minimum.accumulate(np.minimum(unfloored, 0))
    score = unfloored - floor
    left_zero = np.flatnonzero(score[:-1] == 0)
    end = replace(
        start,
        at_s=int(times[-1]),
        score=int(score[-1]),
        since_s=int(times[1 + left_zero[-1]]) if left_zero.size else start.since_s,
    )
    over = np.flatnonzero(score[:-1] + _FALL >= expected.evidence)
    return end, int(times[1 + over[0]]) + 1 if over.size else None
