"""Event logs of simulated shops and communities, in memory, and what is left of a replay: mixture, rows, moment."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models import evaluate as evaluation
from models.evaluate import Report
from models.event_log import EventLog
from models.events import Event
from models.groups import Pending
from models.metrics import auc
from models.mixture import ChurnMixture
from models.outcomes import Outcomes, cuts_of
from models.simulator import CLIMATES, Shop
from models.state import Rows, new_rows
from models.target import DAY_S, Target

START_S = 1_704_067_200  # 2024-01-01


def as_it_is(shop: Shop, event: Event) -> Event:
    return event


def simulated_log(
    climate: str,
    customers: int,
    days: int,
    seed: int = 7,
    change: Callable[[Shop, Event], Event] = as_it_is,
) -> EventLog:
    """What people did in one climate; machine opens are left out, as in a file."""
    shop = Shop(seed, customers, START_S, climate=CLIMATES[climate])
    events = [change(shop, event) for event in shop.events(START_S + days * DAY_S) if event.engaged]
    ids = sorted({event.customer_id for event in events})
    place = {customer_id: index for index, customer_id in enumerate(ids)}
    channel = np.array([event.channel for event in events], np.uint8)
    at_s = np.array([event.at_s for event in events], np.int64)
    return EventLog(
        customers=tuple(ids),
        customer=np.array([place[event.customer_id] for event in events], np.int64),
        at_s=at_s,
        channel=channel,
        amount=np.array([event.amount for event in events], np.float32),
        source=channel.copy(),
        categories=np.array([event.categories for event in events], np.uint32),
        first_at_s=int(at_s[0]),
        last_at_s=int(at_s[-1]),
        skipped={},
    )


def target_of(climate: str) -> Target:
    """The question asked of a climate: a quarter ahead, four weeks for groceries."""
    return Target(CLIMATES[climate].main, (28 if climate == "grocery" else 91) * DAY_S)


@dataclass(frozen=True)
class Trained:
    """A mixture after a replay, and the customers as it left them."""

    mixture: ChurnMixture
    rows: Rows
    at_s: int
    x: np.ndarray
    y: np.ndarray


def trained(log: EventLog, target: Target) -> Trained:
    """Replay a log up to its last cut; `x` and `y` are the examples of the cut one horizon before it."""
    pending, mixture = Pending(Outcomes(log, target), target), ChurnMixture.for_target(target)
    rows, begin = new_rows(len(log.customers)), 0
    *_, last_s = moments = cuts_of(log)
    x = y = np.empty(0)
    for at_s in moments:
        end = int(np.searchsorted(log.at_s, at_s))
        evaluation._apply(rows, log, begin, end, target)
        pending.learn_until(mixture, at_s)
        _, frozen = evaluation._score(rows, at_s, mixture)
        pending.add(frozen)
        if at_s + target.horizon_s <= last_s:
            x, y = frozen.x, pending.outcomes.churned(frozen.customer, at_s).astype(float)
        begin = end
    return Trained(mixture, rows, last_s, x, y)


def pooled(report: Report) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes, shape (n,), and P(churn) of each expert and the mixture, shape (k + 1, n), over all pooled weeks."""
    is_pooled = {week.at_s for week in report.weekly if week.is_pooled}
    outcomes, y, p = Outcomes(report.log, report.target), [], []
    for cut in report.cuts:
        if cut.at_s in is_pooled:
            y.append(outcomes.churned(cut.customer, cut.at_s))
            p.append(np.vstack([cut.experts, cut.p]))
    return np.concatenate(y), np.hstack(p)


def pooled_auc(report: Report) -> list[float]:
    """AUC over all pooled weeks of each expert, then of the mixture."""
    y, p = pooled(report)
    return [auc(y, row) for row in p]
