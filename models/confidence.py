"""Whether there is enough evidence to show a number: the rule behind "not enough evidence".

Serves the alert, last word of the line from event to alert. A level is decided for everybody whose silence says so; a
percentage is shown only where it means something. There is **not enough evidence** when one of these holds:

1. *Nobody's outcome is known, and neither is this customer*: the scorer has learnt fewer than `LEAST_LABELS` horizon
   labels, and the customer has come on fewer than `LEAST_OCCASIONS` days, so has not shown two gaps. The number is then
   made of constants that were chosen before this shop was seen.
2. *The experts disagree*: the standard deviation of their probabilities, weighted as in the mixture, is `MOST_SPREAD`
   or more. Each was right often enough to have a weight, and about this customer they say different things.

Measured on CDNOW (H = 91 d) and eight simulated shops (H = 28 d), as the mean distance between the predicted share and
the share that churned in ten bins. Where rule 1 holds back a number of 70 % or more, it would have been off by 4 to 11
points, by 43 in a shop with grocery rhythms. Where rule 2 does, by 7 to 40 points, against 1 to 3 where the experts'
spread is below 0.05; that is 0 to 3 % of scores, and up to 0.3 % of those of 70 % or more. Disagreement is measured
in probabilities and not in log-odds, as 97 % against 99.7 % is the same news to people and 50 % against 80 % is not.
(A spread of 1.5 in log-odds was tried: it holds back 1 score in 14,000 and misses errors of 20 points.)
"""

import enum

import numpy as np
from numpy.typing import NDArray

from models.experts import NAMES
from models.experts.formulas import probability
from models.features import INDEX
from models.mixture import ABLE_LABELS
from models.scorer import Scorer

Floats = NDArray[np.float64]

LEAST_LABELS = ABLE_LABELS
"""Horizon labels from which on the experts that learn from outcomes are listened to."""
LEAST_OCCASIONS = 3  # two gaps: one is no rhythm yet
MOST_SPREAD = 0.10  # from here on the number is off by more than the step from one alert level to the next, 0.10

_OCCASIONS = INDEX["main_occasions"]


class Confidence(enum.StrEnum):
    """Whether a probability may be shown."""

    ENOUGH = "enough"
    NOT_ENOUGH = "not_enough_evidence"


def confidence_of(scorer: Scorer, x: Floats) -> list[Confidence]:
    """Judge n customers by the rule above.

    Parameters
    ----------
    scorer
        The model in use.
    x
        Features as `Scorer.features_of` gives them, shape (n, d).

    Returns
    -------
    list of Confidence
        n of them; not enough for a customer without any main event.

    Examples
    --------
    Before any label, somebody who came once and somebody who came on ten days:

    >>> from models.events import Channel
    >>> from models.features import RHYTHM
    >>> from models.target import Target
    >>> x = np.full((2, len(INDEX)), np.nan)
    >>> x[:, RHYTHM], x[:, INDEX["main_occasions"]] = 1.0, np.log([1, 10])
    >>> [str(verdict) for verdict in confidence_of(Scorer.cold(Target(Channel.ORDER, 91 * 86_400)), x)]
    ['not_enough_evidence', 'enough']
    """
    agree = spread_of(scorer, x) < MOST_SPREAD
    occasions = np.rint(np.exp(x[:, _OCCASIONS]))
    known = (occasions >= LEAST_OCCASIONS) | ((occasions > 0) & (scorer.n_labels >= LEAST_LABELS))  # false for NaN
    return [Confidence.ENOUGH if enough else Confidence.NOT_ENOUGH for enough in (agree & known).tolist()]


def spread_of(scorer: Scorer, x: Floats) -> Floats:
    """Return how far the experts that carry weight are apart, before the level's shift.

    Returns
    -------
    ndarray
        Weighted standard deviation of their probabilities, in [0, 0.5], shape (n,).
    """
    heard = np.flatnonzero(scorer.weights)
    if len(heard) == 1:
        return np.zeros(len(x))
    said = probability(scorer.expert_log_odds(x)[:, : len(NAMES)])[:, heard]
    weights = scorer.weights[heard]
    middle = (said * weights).sum(axis=1, keepdims=True)
    spread: Floats = np.sqrt(((said - middle) ** 2 * weights).sum(axis=1))
    return spread
