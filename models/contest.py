"""Champion and challenger: two mixtures that learn the same labels; who predicts better is published.

Serves *trainer* on the second line. They differ in how fast they forget. Which is right depends on the shop and changes
with it: a shop that changes wants a short memory, one that stays the same a long one.

Just before a group of horizon labels is learnt, both are asked about it, and the duel (`models.promotion`) is told both
losses, label by label. Both know then what resolved before, which is what a version published now would know; what they
said a horizon ago would say how good they were with less.

The duel's blocks are weeks. With days as blocks a level that wanders for weeks looks like many independent witnesses
for whoever happens to stand on its side, and promotes falsely again and again.
"""

from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.blend import log_losses
from models.experts import NAMES
from models.experts.second_order import MEMORY_DAYS
from models.groups import Group
from models.mixture import ChurnMixture
from models.newer import NewerVersionError
from models.promotion import Duel, Verdict
from models.snapshot import SnapshotError
from models.target import DAY_S, Target

Floats = NDArray[np.float64]

BLOCK_S = 7 * DAY_S
LONG_MEMORY_DAYS = 90.0

Days = Annotated[float, msgspec.Meta(ge=0.0, le=1e6)]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes part.

    Parameters
    ----------
    memory_days
        Half-life of the champion's labels at the start, days of event time, > 0.
    challenger_memory_days
        The challenger's; 0 = no challenger.
    experts
        Experts of both, some of `models.experts.NAMES`.
    """

    memory_days: Days = MEMORY_DAYS
    challenger_memory_days: Days = LONG_MEMORY_DAYS
    experts: tuple[str, ...] = NAMES


class Contest:
    """Learns groups of labels with both and knows who is ahead.

    Parameters
    ----------
    target
        Main channel and horizon.
    options
        Who takes part.

    Attributes
    ----------
    champion
        The mixture that is published.
    challenger
        The one in its shadow, None without.

    Raises
    ------
    ValueError
        An expert is unknown, or there is none.
    """

    def __init__(self, target: Target, options: Options) -> None:
        self.options = options
        self._target = target
        self.champion = _mixture(target, options.memory_days, options.experts)
        self.challenger = (
            _mixture(target, options.challenger_memory_days, options.experts)
            if options.challenger_memory_days
            else None
        )
        self._duel = Duel(block_s=BLOCK_S)

    @property
    def e_values(self) -> dict[str, float]:
        """Evidence for each side in the running duel, by `models.promotion.Side`; 1 = none."""
        return {str(side): value for side, value in self._duel.e_values.items()}

    def learn(self, steps: Group | None, horizons: Group | None) -> Verdict | None:
        """Learn what resolved together: steps first, so that the level is of now when the horizons are judged.

        Parameters
        ----------
        steps, horizons
            Labels of each kind, None where there are none.

        Returns
        -------
        Verdict or None
            How a duel ended. If the challenger won, it is the champion now.

        Raises
        ------
        SnapshotError
            A mixture has diverged.
        """
        both = [mixture for mixture in (self.champion, self.challenger) if mixture is not None]
        if steps is not None:
            for mixture in both:
                mixture.learn_steps(steps)
        if horizons is None:
            return None
        verdict = self._compare(horizons)
        for mixture in both:
            mixture.learn_horizons(horizons)
        return verdict

    def to_dict(self) -> dict[str, Any]:
        """Write everything down as plain JSON values; `from_dict` goes on from it to the last bit."""
        return {
            "options": msgspec.to_builtins(self.options) | {"experts": list(self.options.experts)},
            "champion": self.champion.to_dict(),
            "challenger": None if self.challenger is None else self.challenger.to_dict(),
            "duel": self._duel.to_dict(),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any], target: Target, options: Options) -> "Contest":
        """Go on from what `to_dict` gave.

        With the same options the roles stay as they were. With others, what was learnt is kept and forgotten at the new
        pace from now on: champion and challenger stay, a challenger that is new begins as the champion's twin, and the
        duel begins anew.

        Raises
        ------
        SnapshotError
            It is damaged, of another version or target.
        """
        try:
            before = msgspec.convert(plain["options"], Options)
            if plain["options"].keys() != set(Options.__struct_fields__):
                raise ValueError("an option is missing")
            champion, challenger, duel = plain["champion"], plain["challenger"], Duel.from_dict(plain["duel"])
            contest = cls(target, options)
            if before != options:
                champion = _changed(champion, options.memory_days, options.experts)
                challenger = _changed(challenger or champion, options.challenger_memory_days, options.experts)
                duel = Duel(block_s=BLOCK_S)
            contest.champion = ChurnMixture.from_dict(champion)
            if contest.challenger is not None:
                contest.challenger = ChurnMixture.from_dict(challenger)
        except (SnapshotError, NewerVersionError):
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SnapshotError(f"the trainer's state does not hold what it should: {error}") from None
        contest._duel = duel
        for mixture in (contest.champion, contest.challenger):
            if mixture is not None and mixture.target != target:
                raise SnapshotError(f"the trainer's state predicts {mixture.target}, not {target}")
        return contest

    def _compare(self, group: Group) -> Verdict | None:
        if self.challenger is None:
            return None
        resolved_at_s = (group.frozen_at_s + self._target.horizon_s).tolist()
        group = group.completed(self._target)
        losses = _losses(self.champion, group), _losses(self.challenger, group)
        found: Verdict | None = None
        for place, at_s in enumerate(resolved_at_s):
            verdict = self._duel.update(losses[0][place], losses[1][place], at_s)
            found = verdict or found
            if verdict is not None and verdict.winner == "challenger":
                self.champion, self.challenger = self.challenger, self.champion
                losses = losses[1], losses[0]
        return found


def _mixture(target: Target, memory_days: float, experts: tuple[str, ...]) -> ChurnMixture:
    return ChurnMixture.for_target(target, memory_days=memory_days, experts=experts)


def _changed(plain: dict[str, Any], memory_days: float, experts: tuple[str, ...]) -> dict[str, Any]:
    return {**plain, "memory_days": memory_days, "experts": list(experts)}


def _losses(mixture: ChurnMixture, group: Group) -> list[float]:
    """Log loss of each label, had a version been published just now."""
    losses: list[float] = log_losses(mixture.log_odds(group.x)[:, None], group.y)[:, 0].tolist()
    return losses
