"""Is the challenger better than the champion? A duel over paired losses that may be watched at every moment.

Serves *trainer* on the second line. Both models predicted the same example a horizon before its outcome was known, so
the two log losses of a label are honest and paired [2]_. Looking at a fixed-size test after every label and stopping
when it likes what it sees would promote by chance sooner or later; capital won by betting does not have this fault
[1]_.

The bet. A sceptic starts with a capital of 1 and stakes part of it on each block of labels, at odds that are fair if
the challenger is no better. Nobody multiplies such a capital by 1/alpha, at whatever moment one looks, more often than
with probability alpha (Ville's inequality), so the capital is the evidence, and is called e-value. A second sceptic
bets the other way, on the champion.

The block. Labels of one day share their fate (a campaign, a holiday, an outage), so a thousand labels of one day are
not a thousand independent witnesses. The unit of the test is therefore the mean loss difference of all labels resolved
in one block of stream time, a day (UTC) by default; a day with many labels counts no more than a day with few. What is
promised: if in each block, given everything before it, the challenger's expected loss is not lower, it is promoted with
probability alpha at most, per duel. A season that favours one model for weeks is no chance to this test: who was better
throughout is promoted, and may lose the next duel when the season turns. Longer blocks see through longer seasons, and
it takes as many of them: a model that is 0.03 nats better wins after some 40 days, or 40 weeks.

The stake. The worst that a block can do is known before its outcomes: two predictions p and q of one example leave only
two possible differences of loss, and these can be told from the losses alone. So a stake is a share of the capital per
worst case, and no loss can ruin the sceptic. How bold to be is not known in advance: `STAKES` are played side by side,
and after each block everybody gives `SHARE` of the capital to be divided equally, so that a long draw does not use up
the bold ones, who are needed when the challenger becomes better later [3]_.

References
----------
.. [1] I. Waudby-Smith, A. Ramdas (2024), Estimating means of bounded random variables by betting, JRSS B 86(1).
.. [2] Y. J. Choe, A. Ramdas (2024), Comparing sequential forecasters, Operations Research 72(4).
.. [3] M. Herbster, M. Warmuth (1998), Tracking the best expert, Machine Learning 32.
"""

import math
from typing import Annotated, Any, Literal

import msgspec

from models.metrics import CLIP
from models.target import DAY_S

ALPHA = 0.05
STAKES = (0.0, 0.06, 0.15, 0.4, 0.95)  # of the capital, per worst case: cash to bold; 1 could lose all in one block
SHARE = 0.005  # of the capital, per block
LOSS_MAX = -math.log(CLIP)  # 13.8 nats; losses are clipped as in `models.metrics`, as if no prediction was certain
LOSS_MIN = -math.log1p(-CLIP)
EVEN = 1e-6  # nats added to the risk of a label, or twins would duel over their rounding errors

Side = Literal["challenger", "champion"]
Count = Annotated[int, msgspec.Meta(ge=0)]
Amount = Annotated[float, msgspec.Meta(ge=0.0, le=1e300)]
Risk = Annotated[float, msgspec.Meta(gt=0.0, le=1e300)]
Number = Annotated[float, msgspec.Meta(ge=-1e300, le=1e300)]
Capital = Annotated[list[Amount], msgspec.Meta(min_length=len(STAKES), max_length=len(STAKES))]


class Verdict(msgspec.Struct, frozen=True):
    """How a duel ended.

    Parameters
    ----------
    at_s
        End of the block that decided, epoch seconds.
    labels, blocks
        What the duel has seen.
    e_value
        Capital won on the winner; `winner` was declared because it reached 1/alpha.
    difference
        Mean loss of the champion minus that of the challenger, in nats a label; above 0 the challenger predicts better.
    winner
        "challenger" is to be promoted; "champion" stays.
    why
        One line for the log.
    """

    at_s: int
    labels: int
    blocks: int
    e_value: float
    difference: float
    winner: Side
    why: str


class _Block(msgspec.Struct, forbid_unknown_fields=True):
    """The open block: its number since the epoch, and sums over its labels."""

    number: int
    labels: Annotated[int, msgspec.Meta(ge=1)]
    difference: Number
    challenger_risk: Risk  # how much the challenger could lose by, in the worst case; likewise the champion
    champion_risk: Risk

    def add(self, champion_loss: float, challenger_loss: float) -> None:
        found = champion_loss - challenger_loss
        # Had the outcome been the other one, this would be the difference: one of the two is >= 0, one is <= 0.
        other = math.log1p(-math.exp(-challenger_loss)) - math.log1p(-math.exp(-champion_loss))
        self.labels += 1
        self.difference += found
        self.challenger_risk += max(-found, -other) + EVEN
        self.champion_risk += max(found, other) + EVEN


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """A duel as numbers. Nothing here or in the block has a default, so nothing can be missing from a saved duel."""

    alpha: Annotated[float, msgspec.Meta(gt=0.0, lt=1.0)]
    block_s: Annotated[int, msgspec.Meta(ge=1)]
    labels: Count  # in closed blocks, as the next two
    blocks: Count
    difference: Number
    challenger: Capital
    champion: Capital
    open: _Block | None  # None before the first label


class Duel:
    """Compares two models label by label until one is better beyond doubt, then starts anew.

    Parameters
    ----------
    alpha
        How often at most an equal or worse challenger may be promoted, per duel, in (0, 1).
    block_s
        Stream time whose labels count as one observation, in seconds, >= 1.

    Raises
    ------
    ValueError
        A parameter is out of range.

    Examples
    --------
    A champion that always says 0.5 against a challenger that says 0.7 and is right seven times in ten:

    >>> duel, day = Duel(), 0
    >>> while not (verdict := duel.update(math.log(2), -math.log(0.3 if day % 10 < 3 else 0.7), day * DAY_S)):
    ...     day += 1
    >>> verdict.winner, verdict.blocks == day
    ('challenger', True)
    """

    def __init__(self, alpha: float = ALPHA, block_s: int = DAY_S) -> None:
        self._state = _fresh(alpha, block_s)

    @property
    def e_values(self) -> dict[Side, float]:
        """Capital won on each side in the running duel; 1 at its start, at 1/alpha it ends."""
        return {"challenger": _mean(self._state.challenger), "champion": _mean(self._state.champion)}

    def update(self, champion_loss: float, challenger_loss: float, at_s: int) -> Verdict | None:
        """Take one label.

        A block is judged when the first label of a later one arrives. A label of an earlier block (a partition lags)
        counts in the open one.

        Parameters
        ----------
        champion_loss, challenger_loss
            Log losses of both predictions of one binary outcome, in nats, >= 0.
        at_s
            When the outcome was certain, epoch seconds: known in advance and the same for both outcomes, or the
            blocks would be chosen by what they hold.

        Returns
        -------
        Verdict or None
            How the duel ended with the block before this label, if it did. The label is the first of the next duel.

        Raises
        ------
        ValueError
            A loss is negative, NaN or infinite.
        """
        if not (0.0 <= champion_loss < math.inf and 0.0 <= challenger_loss < math.inf):
            raise ValueError("a log loss must be finite and not negative")
        number, block, verdict = int(at_s) // self._state.block_s, self._state.open, None
        if block is None or number > block.number:
            verdict = self._judge(block) if block else None
            block = self._state.open = _Block(number, 0, 0.0, 0.0, 0.0)
        block.add(_clipped(champion_loss), _clipped(challenger_loss))
        return verdict

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as JSON values; a duel from them goes on bit for bit."""
        plain: dict[str, Any] = msgspec.to_builtins(self._state)
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> "Duel":
        """Go on with a duel.

        Raises
        ------
        ValueError
            `plain` does not hold what `to_dict` gives: a field or number is missing, out of range, or not finite.
        """
        duel = cls()
        duel._state = msgspec.convert(plain, _State)
        return duel

    def _judge(self, block: _Block) -> Verdict | None:
        """Settle the bets on a block that is complete, and end the duel if one side has won enough."""
        state = self._state
        state.labels += block.labels
        state.blocks += 1
        state.difference += block.difference
        state.challenger = _settled(state.challenger, block.difference, block.challenger_risk)
        state.champion = _settled(state.champion, -block.difference, block.champion_risk)
        for winner, e_value in self.e_values.items():
            if e_value >= 1.0 / state.alpha:
                self._state = _fresh(state.alpha, state.block_s)
                return _verdict(state, winner, e_value, at_s=(block.number + 1) * state.block_s)
        return None


def _fresh(alpha: float, block_s: int) -> _State:
    if not (0.0 < alpha < 1.0 and block_s >= 1):
        raise ValueError(f"a duel needs alpha in (0, 1) and blocks of at least 1 s, got {alpha} and {block_s}")
    even = [1.0] * len(STAKES)
    return _State(alpha, block_s, 0, 0, 0.0, even, even, None)


def _clipped(loss: float) -> float:
    return min(max(float(loss), LOSS_MIN), LOSS_MAX)


def _settled(capital: list[float], gain: float, risk: float) -> list[float]:
    """Pay out every stake, then share; `gain` is at least ``-risk``."""
    paid = [own * (1.0 + stake * gain / risk) for own, stake in zip(capital, STAKES, strict=True)]
    common = _mean(paid)
    return [own + SHARE * (common - own) for own in paid]


def _mean(capital: list[float]) -> float:
    return math.fsum(capital) / len(capital)


def _verdict(state: _State, winner: Side, e_value: float, at_s: int) -> Verdict:
    difference = state.difference / state.labels
    why = (
        f"{winner} {'promoted' if winner == 'challenger' else 'stays'}: e-value {e_value:.1f} reached "
        f"{1.0 / state.alpha:.1f} after {state.labels} labels in {state.blocks} blocks; the challenger's log loss was "
        f"{abs(difference):.4f} nats {'lower' if difference > 0 else 'higher'}"
    )
    return Verdict(at_s, state.labels, state.blocks, e_value, difference, winner, why)
