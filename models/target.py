"""What is predicted: that no main event comes within the horizon.

Everything in ``models/`` that needs to know which channel counts as coming back, and how long to wait for it,
takes a `Target`; nothing else about a deployment reaches the models.
"""

from dataclasses import dataclass

from models.events import Channel

HOUR_S = 3_600
DAY_S = 86_400
STEPS = 13
"""Steps a horizon is cut into: weeks when it is a quarter. The first one resolves early and teaches the hazard."""

CALENDARS = ("", "plain", "JP")


@dataclass(frozen=True)
class Target:
    """P(no event on the main channel within the horizon) is the question all scores answer.

    Parameters
    ----------
    main
        Channel whose absence is churn.
    horizon_s
        How long a customer must stay away to count as churned, in seconds, at least one day.
    calendar
        One of `CALENDARS`: what the models may know of the calendar (`models.calendar`); empty = nothing.

    Raises
    ------
    ValueError
        The horizon is shorter than a day, or there is no such calendar.

    Examples
    --------
    >>> Target(Channel.ORDER, 91 * DAY_S).horizon_days
    91.0
    """

    main: Channel
    horizon_s: int
    calendar: str = ""

    def __post_init__(self) -> None:
        if self.horizon_s < DAY_S:
            raise ValueError(f"horizon must be at least one day, got {self.horizon_s} s")
        if self.calendar not in CALENDARS:
            raise ValueError(f"calendar must be empty, plain or JP, got {self.calendar!r}")

    @property
    def horizon_days(self) -> float:
        """The horizon in days."""
        return self.horizon_s / DAY_S

    @property
    def step_s(self) -> int:
        """One thirteenth of the horizon in whole seconds, rounded down.

        Examples
        --------
        >>> Target(Channel.ORDER, 91 * DAY_S).step_s / DAY_S
        7.0
        """
        return self.horizon_s // STEPS
