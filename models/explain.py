"""Why this customer has this risk: each signal's share, exactly, and the strongest ones as sentences.

Serves the alert, last word of the line from event to alert. The scorer's log-odds are a sum over features, a
prior and a baseline; here the features are grouped by the signal they measure. The prior is made from the
rhythm on the main channel alone, so it belongs to ``main_rhythm``: before any label it is all there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.events import Channel
from models.evidence import Evidence, values_of
from models.features import FEATURES, SIGNALS
from models.scorer import Scorer
from models.sentences import Reasons, Sentence, no_single_reason, reason
from models.state import Rows
from models.target import Target

MAX_REASONS = 3
LEAST = 0.05  # log-odds: a signal that changes the odds by less than a twentieth is not a reason
PRIOR_SIGNAL = "main_rhythm"

_SILENCE_OF = {
    Channel.ORDER: "order_silence",
    Channel.LOGIN: "login_silence",
    Channel.EMAIL_OPEN: "email_silence",
}


@dataclass(frozen=True)
class Explanation:
    """Where a probability comes from.

    Parameters
    ----------
    evidence
        Every signal of which something is known, what raises the risk most first.
    baseline
        Log-odds before any signal.
    log_odds
        Of the probability: the baseline and all contributions, to 1e-9.
    reasons
        One to three sentences in each language, strongest first.
    """

    evidence: tuple[Evidence, ...]
    baseline: float
    log_odds: float
    reasons: Reasons


def explain(scorer: Scorer, rows: Rows, at_s: NDArray[np.int64], target: Target) -> list[Explanation]:
    """Explain the risk of n customers.

    Parameters
    ----------
    scorer
        The model in use.
    rows
        Shape (n,).
    at_s
        Epoch seconds, shape (n,).
    target
        Main channel and horizon.

    Returns
    -------
    list of Explanation
        n of them. Nothing in them is NaN: what is not known is None.

    Raises
    ------
    ValueError
        A customer never had a main event, so there is no risk to explain.
    """
    parts = scorer.contributions(rows, at_s)
    if np.isnan(parts).any():
        raise ValueError("a customer without any main event has no risk to explain")
    values = [values_of(signal, rows, at_s, target) for signal in SIGNALS]
    units = [value.unit for value in values]
    columns = (
        _known(np.column_stack([value.usual for value in values])),
        _known(np.column_stack([value.now for value in values])),
        _by_signal(parts).tolist(),
        parts[:, -1].tolist(),
        parts.sum(axis=1).tolist(),
    )
    return [
        _explanation(list(map(Evidence, SIGNALS, usual, now, units, shares)), baseline, log_odds, target.main)
        for usual, now, shares, baseline, log_odds in zip(*columns, strict=True)
    ]


def _known(values: NDArray[np.float64]) -> list[list[float | None]]:
    """Turn an array into lists, NaN into None."""
    objects = values.astype(object)
    objects[np.isnan(values)] = None
    known: list[list[float | None]] = objects.tolist()
    return known


def _by_signal(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Contributions (n, features + prior + baseline) summed by signal, shape (n, signals)."""
    shares = np.zeros((len(parts), len(SIGNALS)))
    owners = [feature.signal for feature in FEATURES] + [PRIOR_SIGNAL]
    for column, signal in enumerate(owners):
        shares[:, SIGNALS.index(signal)] += parts[:, column]
    return shares


def _explanation(evidence: list[Evidence], baseline: float, log_odds: float, main: Channel) -> Explanation:
    known = [e for e in evidence if e.contribution != 0.0 or e.now is not None or e.usual is not None]
    ranked = sorted(known, key=lambda e: -e.contribution)
    sentences = _reasons(ranked, main) or [no_single_reason(float(1.0 / (1.0 + np.exp(-log_odds))))]
    return Explanation(tuple(ranked), baseline, log_odds, Reasons.of(sentences))


def _reasons(ranked: Sequence[Evidence], main: Channel) -> list[Sentence]:
    """Return the strongest reasons, none of which repeats what a stronger one says."""
    told: list[Evidence] = []
    said: set[str] = set()
    for e in ranked:
        if e.contribution < LEAST or len(told) == MAX_REASONS:
            break
        gist = _gist(e, main)
        if not said & gist:
            told.append(e)
            said |= gist
    return [reason(e.signal, e.usual, e.now, main) for e in told]


def _gist(e: Evidence, main: Channel) -> set[str]:
    """Name what the sentence says: silence and rhythm of the main channel, for example, are one gap."""
    if e.signal == PRIOR_SIGNAL:
        return {"gap", "once"} if e.usual is None else {"gap"}
    if e.signal == _SILENCE_OF[main]:
        return {"gap"}
    if e.signal == "order_history" and e.now == 1 and main == Channel.ORDER:
        return {"once"}
    return {e.signal}
