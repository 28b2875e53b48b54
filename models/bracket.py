"""Narrowing down the second at which a threshold is crossed: interpolation within a bracket.

Serves `models.crossing`. Log-odds are nearly straight over the log of the silence, so the crossing is looked for there,
by a curve through four points that gives time as a function of the distance from the threshold [1]_. The hidden units
bend a little everywhere, so how far around it to look is taken from what the fourth point changed. Elementwise: a
customer's bracket does not depend on anybody else's.

References
----------
.. [1] R. P. Brent (1973), Algorithms for minimization without derivatives, ch. 4: inverse interpolation in a bracket.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]

_CUTS = 16
_LEAST = 1e-9  # log of the silence: a hundredth of a second of a quarter
_ROUNDING = 1e-12  # of logs of seconds: a threshold that is hit exactly at an end is inside


@dataclass
class Bracket:
    """Whole seconds between which a threshold is crossed, two more near them, and the distance from it there.

    Parameters
    ----------
    at_s
        Low, high and two other moments, epoch seconds, low < high, shape (4, n).
    distance
        Log-odds above the threshold at these, negative at low, >= 0 at high, shape (4, n).
    origin
        Where the log of the silence is measured from, epoch seconds, before low, shape (n,).
    """

    at_s: Seconds
    distance: Floats
    origin: Floats

    @classmethod
    def at(cls, at_s: Seconds, distance: Floats, origin: Floats, last: int | NDArray[np.intp]) -> "Bracket":
        """Return the bracket in which the threshold is first reached.

        Parameters
        ----------
        at_s, distance
            At four moments or more, not reached at the first one, shape (m, n).
        origin
            Shape (n,).
        last
            The last moment that counts, at which or before which it is reached, 3 <= last < m.
        """
        after = np.argmax(distance >= 0, axis=0)
        third = np.where(after > 1, after - 2, after + 2)
        fourth = np.where(after < last, after + 1, after - 3)
        which = np.stack([after - 1, after, third, fourth]), np.arange(after.size)
        return cls(at_s[which], distance[which], origin)

    def take(self, which: NDArray[np.intp]) -> "Bracket":
        """Return some of the brackets."""
        return Bracket(self.at_s[:, which], self.distance[:, which], self.origin[which])

    @property
    def width(self) -> Seconds:
        """Seconds between low and high, shape (n,)."""
        width: Seconds = self.at_s[1] - self.at_s[0]
        return width

    def narrowed(self, at_s: Seconds, distance: Floats) -> "Bracket":
        """Return the narrowest bracket among low, some seconds within, rising, shape (m, n), m >= 2, and high."""
        points = np.vstack([self.at_s[:1], at_s, self.at_s[1:2]])
        values = np.vstack([self.distance[:1], distance, self.distance[1:2]])
        return Bracket.at(points, values, self.origin, len(points) - 1)

    def expected(self, cautions: tuple[float, ...]) -> Seconds:
        """Return k seconds before and k after where the threshold should be crossed, rising, shape (2 * k, n).

        By four points, or by fewer where more make no sense; Neville's scheme gives all of these.

        Parameters
        ----------
        cautions
            How far around: so many times what the last point changed, k rising numbers.
        """
        f, x = self.distance, np.log(self.at_s - self.origin)
        low, high, *_ = x
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # points may be equally far
            x = (f[1:] * x[:-1] - f[:-1] * x[1:]) / (f[1:] - f[:-1])
            best, error = x[0], high - low
            for apart in (2, 3):
                x = (f[apart:] * x[:-1] - f[:-apart] * x[1:]) / (f[apart:] - f[:-apart])
                makes_sense = (x[0] >= low - _ROUNDING) & (x[0] <= high + _ROUNDING)
                error = np.where(makes_sense, np.maximum(np.abs(x[0] - best), _LEAST), error)
                best = np.where(makes_sense, x[0], best)
        silence_s = np.exp(best)
        return self._around(self.origin + silence_s, silence_s * error * np.array(cautions)[:, None])

    def _around(self, middle: Floats, margins: Floats) -> Seconds:
        """Return seconds before and after a moment, the nearest two of which are not both ends of the bracket."""
        low, high, *_ = self.at_s
        before = np.clip(np.floor(middle - margins[::-1]).astype(np.int64), low, high - 1)
        after = np.clip(np.ceil(middle + margins).astype(np.int64), before[-1] + 1, high)
        stuck = (before[-1] == low) & (after[0] == high)
        after[0] = np.where(stuck, (low + high) // 2, after[0])
        return np.vstack([before, after])

    def cuts(self) -> Seconds:
        """Return seconds that cut the bracket into `_CUTS` equal parts, shape (`_CUTS` - 1, n)."""
        cuts: Seconds = self.at_s[0] + self.width * np.arange(1, _CUTS)[:, None] // _CUTS
        return cuts
