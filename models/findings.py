"""What looks at silent customers found: `models.watch` hands it to whoever publishes it, on the line to the alert."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.decisions import Decision
from models.episode_outcomes import EpisodeOutcome
from models.labels import Resolved
from models.lost import Lost

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Findings:
    """What a look found.

    Parameters
    ----------
    decisions
        News about episodes, in row order.
    resolved_index
        Rows that gave a label, shape (m,), rising; a row twice where step and horizon were both overdue.
    resolved
        Their labels, m of them; None when there are none.
    forgotten
        Rows silent for so long that they are to be deleted, shape (k,).
    outcomes
        Episodes told a horizon ago from which nobody came back.
    lost
        Who has stayed away for a horizon.
    held
        Rows about which nothing was decided yet because the breaker holds them, shape (h,).
    censored
        Labels that were left out because the source of main events was out in their time.
    """

    decisions: list[Decision]
    resolved_index: Indices
    resolved: Resolved | None
    forgotten: Indices
    outcomes: list[EpisodeOutcome]
    lost: list[Lost]
    held: Indices
    censored: int
