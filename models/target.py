"""What is predicted: that no main event comes within the horizon.

Everything in ``models/`` that needs to know which channel counts as coming back, and how long to wait for it,
takes a `Target`; nothing else about a deployment reaches the models.
"""

from dataclasses import dataclass

from models.events import Channel

DAY_S = 86_400


@dataclass(frozen=True)
class Target:
    """P(no event on the main channel within the horizon) is the question all scores answer.

    Parameters
    ----------
    main
        Channel whose absence is churn.
    horizon_s
        How long a customer must stay away to count as churned, in seconds, at least one day.

    Raises
    ------
    ValueError
        The horizon is shorter than a day.

    Examples
    --------
    >>> Target(Channel.ORDER, 91 * DAY_S).horizon_days
    91.0
    """

    main: Channel
    horizon_s: int

    def __post_init__(self) -> None:
        if self.horizon_s < DAY_S:
            raise ValueError(f"horizon must be at least one day, got {self.horizon_s} s")

    @property
    def horizon_days(self) -> float:
        """The horizon in days."""
        return self.horizon_s / DAY_S
