"""Why this customer has this risk: each signal's share, and the strongest ones as sentences.

Serves the alert, last word of the line from event to alert. `models.attribution` has the rule by which the log-odds are
shared out, `models.evidence` what each signal is and was, `models.confidence` whether the probability may be shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.alert_sentences import no_single_reason
from models.attribution import attribute
from models.confidence import Confidence, confidence_of
from models.events import Channel
from models.evidence import Evidence, values_of
from models.experts.formulas import probability
from models.features import SIGNALS
from models.scorer import Scorer
from models.sentences import Reasons, reason
from models.state import Rows
from models.wording import Sentence

MAX_REASONS = 3
LEAST = 0.05  # log-odds: a signal that changes the odds by less than a twentieth is not a reason

_CHANNEL = {Channel.ORDER: "order", Channel.LOGIN: "login", Channel.EMAIL_OPEN: "email"}  # how signals begin


@dataclass(frozen=True)
class Explanation:
    """Where a probability comes from.

    Parameters
    ----------
    evidence
        Every signal of which something is known, what raises the risk most first.
    baseline
        Log-odds of a customer of whom nothing is known.
    log_odds
        Of the probability: the baseline and all contributions, to 1e-9.
    confidence
        Whether the probability may be shown.
    reasons
        One to three sentences in each language, strongest first.
    """

    evidence: tuple[Evidence, ...]
    baseline: float
    log_odds: float
    confidence: Confidence
    reasons: Reasons


def explain(scorer: Scorer, rows: Rows, at_s: NDArray[np.int64]) -> list[Explanation]:
    """Explain the risk of n customers.

    Parameters
    ----------
    scorer
        The model in use.
    rows
        Shape (n,).
    at_s
        Epoch seconds, shape (n,).

    Returns
    -------
    list of Explanation
        n of them. Nothing in them is NaN: what is not known is None.

    Raises
    ------
    ValueError
        A customer never had a main event, so there is no risk to explain.
    """
    x = scorer.features_of(rows, at_s)
    shares = attribute(scorer, x)
    if np.isnan(shares.log_odds).any():
        raise ValueError("a customer without any main event has no risk to explain")
    values = [values_of(signal, scorer, rows, at_s, x) for signal in SIGNALS]
    units = [value.unit for value in values]
    columns = (
        _known(np.column_stack([value.usual for value in values])),
        _known(np.column_stack([value.now for value in values])),
        shares.contributions.tolist(),
        shares.baseline.tolist(),
        shares.log_odds.tolist(),
        confidence_of(scorer, x),
    )
    return [
        _explanation(list(map(Evidence, SIGNALS, usual, now, units, parts)), baseline, log_odds, sure, scorer)
        for usual, now, parts, baseline, log_odds, sure in zip(*columns, strict=True)
    ]


def _known(values: NDArray[np.float64]) -> list[list[float | None]]:
    """Turn an array into lists, NaN into None."""
    objects = values.astype(object)
    objects[np.isnan(values)] = None
    known: list[list[float | None]] = objects.tolist()
    return known


def _explanation(
    evidence: list[Evidence], baseline: float, log_odds: float, confidence: Confidence, scorer: Scorer
) -> Explanation:
    known = [e for e in evidence if e.contribution != 0.0 or e.now is not None or e.usual is not None]
    ranked = sorted(known, key=lambda e: -e.contribution)
    sentences = _reasons(ranked, scorer.target.main)
    if not sentences:
        p = float(probability(np.array(log_odds)))
        sentences = [no_single_reason(p if confidence == Confidence.ENOUGH else None)]
    return Explanation(tuple(ranked), baseline, log_odds, confidence, Reasons.of(sentences))


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
    if e.signal == "main_rhythm":
        return {"gap", "once"} if e.usual is None else {"gap"}
    if e.signal == f"{_CHANNEL[main]}_silence":
        return {"gap"}
    if main == Channel.ORDER and e.signal == "order_history" and e.now == 1:
        return {"once"}
    if e.signal == f"{_CHANNEL[main]}_trend" and e.usual is None:
        return {"once"}
    if e.signal in ("email_open_rate", "email_click_rate"):
        return {"followed"}
    return {e.signal}
