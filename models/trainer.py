"""One labelled example at a time: check, learn, measure, and a snapshot when due.

The heart of the second line. What is measured is the prediction made when the example was frozen, a horizon before the
model could learn from it (prequential evaluation), so the loss is honest. A snapshot names the stream time it takes
effect at: the full hour after the next, counted from the latest resolution it learnt, so that it reaches every scorer
before it is due.
"""

import math
from typing import Any

from models.churn_model import ChurnModel
from models.features import NAMES
from models.labels import Label

HOUR_S = 3_600
LOSS_MEMORY = 0.999
"""Weight of the past in the running loss at each label: about the last thousand count."""


class Trainer:
    """Learns labels in the order they come and says when the model is worth publishing.

    Parameters
    ----------
    model
        Where to go on from.
    every
        Labels between two snapshots, >= 1.
    not_before_s
        When the model went on from takes effect, epoch seconds; what follows it takes effect no earlier.

    Attributes
    ----------
    log_loss
        Running mean of the loss of the predictions made at freeze time, in nats; NaN before the first label.

    Raises
    ------
    ValueError
        `every` is not positive.
    """

    def __init__(self, model: ChurnModel, every: int, not_before_s: int = 0) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1 label, got {every}")
        self.model = model
        self.every = every
        self.log_loss = math.nan
        self._effective_at_s = not_before_s
        self._since_snapshot = 0

    def learn(self, label: Label) -> dict[str, Any] | None:
        """Learn one label.

        Returns
        -------
        dict or None
            A snapshot as `ChurnModel.snapshot` gives it, every `every` labels.

        Raises
        ------
        ValueError
            The label answers another question than the model, or has features this code does not have. Nothing of it
            was learnt.
        """
        self._check(label)
        self.model.learn_one(label.features, label.churned)
        self._measure(label)
        self._effective_at_s = max(self._effective_at_s, (label.resolved_at_s // HOUR_S + 2) * HOUR_S)
        self._since_snapshot += 1
        if self._since_snapshot < self.every:
            return None
        self._since_snapshot = 0
        return self.model.snapshot(effective_at_s=self._effective_at_s)

    def _check(self, label: Label) -> None:
        waited_s = label.resolved_at_s - label.frozen_at_s
        if waited_s != self.model.horizon_s:
            raise ValueError(f"the label waited {waited_s} s for its outcome, the horizon is {self.model.horizon_s} s")
        unknown = label.features.keys() - set(NAMES)
        if unknown:  # once learnt, no snapshot of the model could be read any more
            raise ValueError(f"the label has {len(unknown)} features this code does not have")

    def _measure(self, label: Label) -> None:
        p = min(max(label.probability, 1e-6), 1 - 1e-6)
        loss = -math.log(p if label.churned else 1 - p)
        if math.isnan(self.log_loss):
            self.log_loss = loss
        else:
            self.log_loss = LOSS_MEMORY * self.log_loss + (1 - LOSS_MEMORY) * loss
