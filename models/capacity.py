"""At most so many new alerts a day: for those with the most at stake.

Beside the alert policy on the line from event to alert; off unless a deployment sets a capacity. A *candidate* is a
customer whose episode would open. Whoever is not let in waits for a turn on the next day (`models.life_cycle`): the
episode opens then, if the risk is still over a threshold and there is room.

Two rules, both per partition and day (UTC) of stream time:

- **The bar.** Let in are those whose priority is at least what the best N of a usual day had: the 1 - N/c quantile of
  the priorities of the candidates of past days, c a day. Days fade with a half-life of `HALF_LIFE_DAYS`. The bar stands
  still for a day, so who is let in by it depends on nobody else. As long as c is at most N, and on the first day, there
  is no bar.
- **The cap.** When N have been let in, the day is full, whatever the priority. Who comes first among those over the bar
  is let in; on a day with more of them than room that depends on the order in which customers are looked at, which
  within a day is not quite that of time: customers with an event in a batch are looked at before others in it. It is
  the one thing in an alert that the cut of batches can change, and only while a capacity is set.

Priority is the value at stake, probability times the spend of a year (`models.value`). Who has none known is taken for
the median; where nobody has one, in a shop without amounts, the odds of churn alone rank.

A price: batches end at midnight, so a replay of years at full speed is worked off a day at a time.

N for the whole shop is dealt out to the partitions in turn, day by day, so that the sum of all is N each day and N may
be less than the number of partitions. A partition in which more is at stake than in others does not get more of it:
customers are spread over partitions by a hash, so in the long run all have their share.
"""

import math
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from models.memory import remembered
from models.pending import PHASES
from models.quantile import ERROR_RATIO, LogHistogram
from models.target import DAY_S

HALF_LIFE_DAYS = 7.0
"""A week: the bar follows a season, and knows a whole week with its weekend."""
_FADE_A_DAY = 0.5 ** (1.0 / HALF_LIFE_DAYS)
_PLAYED_SAFE = 0.99  # weights are rounded: the first of those to be left out must not slip in on the last digit
PART = "capacity"
"""Name under which a partition remembers its days."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of a shop's capacity falls to one partition.

    Parameters
    ----------
    per_day
        New alerts a day for the whole shop, > 0.
    partition, partitions
        Number of the partition, and how many there are.
    """

    per_day: int
    partition: int = 0
    partitions: int = 1

    @property
    def mean(self) -> float:
        """New alerts of this partition on a usual day."""
        return self.per_day / self.partitions

    def cap(self, day: int) -> int:
        """Return how many new alerts this partition may publish on a day, counted from 1970-01-01.

        Examples
        --------
        >>> [[Share(2, partition, 3).cap(day) for partition in range(3)] for day in range(3)]
        [[1, 1, 0], [1, 0, 1], [0, 1, 1]]
        """
        first, after = day * self.per_day, (day + 1) * self.per_day
        return self._dealt(after) - self._dealt(first)

    def _dealt(self, places: int) -> int:
        """How many of the first so many places, dealt out in turn, are this partition's."""
        return (places + self.partitions - 1 - self.partition) // self.partitions


class Capacity:
    """Lets candidates of one partition in, day by day.

    Parameters
    ----------
    share
        How many.
    kept
        What `to_dict` gave; empty begins anew.

    Attributes
    ----------
    put_off
        Candidates who were not let in since this object was made.

    Examples
    --------
    >>> capacity = Capacity(Share(per_day=1))
    >>> capacity.close(86_400)
    True
    >>> [capacity.full_until(86_400, stake, 0.8, phase=0) for stake in (10.0, 500.0)]
    [0, 172800]
    """

    def __init__(self, share: Share, kept: Mapping[str, Any] | None = None) -> None:
        kept = kept or {}
        self.share = share
        self.put_off = 0
        self._day = int(kept.get("day", 0))
        self._let_in = int(kept.get("let_in", 0))
        self._days = float(kept.get("days", 0.0))
        self._valued = bool(kept.get("valued", False))
        self._today = LogHistogram.from_dict(kept.get("today", {}))
        self._past = LogHistogram.from_dict(kept.get("past", {}))
        self._bar = self._new_bar()

    @classmethod
    def of(cls, memory: MutableMapping[str, Any], share: Share) -> Self:
        """Return the one that a partition remembers."""
        known = remembered(memory, PART, cls, lambda kept: cls(share, kept))
        if known.share != share:
            known = memory[PART] = cls(share, known.to_dict())
        return known

    def to_dict(self) -> dict[str, Any]:
        """Return what a partition remembers, as plain JSON."""
        return {
            "day": self._day,
            "let_in": self._let_in,
            "days": round(self._days, 6),
            "valued": self._valued,
            "today": self._today.to_dict(),
            "past": self._past.to_dict(),
        }

    def next_day_s(self, stream_time_s: int) -> int | None:
        """Return the midnight that nothing may pass before `close`; None before any event.

        So all candidates of one day are asked before those of the next.
        """
        return (self._day + 1) * DAY_S if stream_time_s else None

    def close(self, stream_time_s: int) -> bool:
        """Begin the day of a stream time, all that was due before being done; False if it has begun already."""
        passed = stream_time_s // DAY_S - self._day
        if passed <= 0:
            return False
        self._past.fade(_FADE_A_DAY**passed)
        self._today.fade(_FADE_A_DAY ** (passed - 1))
        self._past.merge(self._today)
        if self._day:  # nobody counted before the first day
            self._days = self._days * _FADE_A_DAY**passed + (1 - _FADE_A_DAY**passed) / (1 - _FADE_A_DAY)
        self._today, self._day, self._let_in = LogHistogram(), self._day + passed, 0
        self._bar = self._new_bar()
        return True

    def full_until(self, at_s: int, stake: float, p: float, phase: int) -> int:
        """Let a candidate in, or say when to ask again.

        Parameters
        ----------
        at_s
            When the episode would open, epoch seconds.
        stake
            Value at stake, NaN = not known.
        p
            Probability of churn.
        phase
            Hash of the customer, 0 to 65,535: those who wait are asked again all over the next day.

        Returns
        -------
        int
            0 = let in, which takes up room; else epoch seconds on the next day.
        """
        priority = self._priority(stake, p)
        if self._let_in < self.share.cap(self._day) and priority >= self._bar:
            self._let_in += 1
            return 0
        self.put_off += 1
        return (max(self._day, at_s // DAY_S) + 1) * DAY_S + phase * DAY_S // PHASES

    def _priority(self, stake: float, p: float) -> float:
        """The priority of a candidate, who is counted."""
        if math.isnan(stake) and self._valued:
            median = self._past.quantile(0.5)
            return 0.0 if math.isnan(median) else median
        if not math.isnan(stake) and not self._valued:  # probabilities until now: of no use beside money
            self._valued = True
            self._today, self._past, self._days, self._bar = LogHistogram(), LogHistogram(), 0.0, 0.0
        priority = p / (1.0 - p) if math.isnan(stake) else stake  # odds: 0.8 and 0.9 are far apart
        self._today.add(np.array([priority]))
        return priority

    def _new_bar(self) -> float:
        """The priority that the best of a usual day have; 0 = everybody has it."""
        a_day = self._past.total / self._days if self._days else 0.0
        if a_day <= self.share.mean:
            return 0.0
        best = _PLAYED_SAFE * self.share.mean / a_day
        # the lower end of the bucket: who is as good as the last of the best is let in, while there is room
        return self._past.quantile(1.0 - best) / (1.0 + ERROR_RATIO)
