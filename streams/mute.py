"""Which news are history: marked `replay`, or not sent, so that a backfill calls nobody to action.

Asked by `streams.emit`, last word of the line from event to alert. State and labels are built all the same, so when
event time reaches the cut the first live alert is the one that a worker which had been there all the time would send.

An outcome is history when it was certain before the cut. Live metrics speak of what people were called to action about:
they leave out the outcomes of muted alerts, and who was lost before the cut.

The cut is an event time that a person names. What is muted therefore depends on the alert alone, never on when or how
often a worker was started.
"""

from dataclasses import dataclass

from models.policy import Transition


@dataclass(frozen=True, slots=True)
class Mute:
    """Everything before a moment.

    Parameters
    ----------
    before_s
        Event time, epoch seconds; 0 mutes nothing.
    drop
        Not sent at all, instead of marked.
    """

    before_s: int = 0
    drop: bool = False

    def is_history(self, at_s: int) -> bool:
        """Tell whether a second, epoch seconds of event time, lies before the cut."""
        return at_s < self.before_s

    def covers(self, news: Transition) -> bool:
        """Tell whether an alert is history.

        The later of when it became true and when its episode opened counts: an order that arrives late can end an
        episode at a time before the cut, and people who were told of that episode live must hear its end.

        Examples
        --------
        >>> from models.levels import Level
        >>> from models.policy import Cause, TransitionType
        >>> news = Transition(
        ...     TransitionType.OPENED, Level.WATCH, Level.HEALTHY, at_s=100, number=1, step=1, opened_at_s=100,
        ...     anchor_at_s=10, cause=Cause.SILENCE,
        ... )
        >>> Mute(before_s=101).covers(news), Mute(before_s=100).covers(news), Mute().covers(news)
        (True, False, False)
        """
        return self.is_history(max(news.at_s, news.opened_at_s))
