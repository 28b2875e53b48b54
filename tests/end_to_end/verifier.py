"""What a run left behind, read from the broker, and what it should have counted: the judge of end-to-end runs."""

import numpy as np
import orjson

from streams import alerts
from streams.engine.changelog import OwnedRows
from tests.end_to_end.cluster import Probe
from tests.end_to_end.log import TOPICS


def changelog_state(probe: Probe) -> OwnedRows:
    """Final state as a new owner would recover it."""

    class Record:
        def __init__(self, message):
            self.key, self.value, self.headers = message.key(), message.value(), message.headers() or ()

    state = OwnedRows()
    for number, messages in probe.records("yocho-customers-changelog").items():
        state.apply(number, map(Record, messages), len(messages) - 1)
    return state


def rows_of(probe: Probe) -> dict[bytes, np.void]:
    """Rows of that state, by customer."""
    return {
        key: partition.rows[partition.slot(key)].copy()
        for partition in changelog_state(probe).partitions.values()
        for key in partition
    }


def alerts_of(probe: Probe) -> dict[str, tuple]:
    """What was told, by alert id; an id that tells two different things fails here."""
    told: dict[str, tuple] = {}
    receipts: dict[str, alerts.Receipt] = {}
    for messages in probe.records("churn-alerts").values():
        for message in messages:
            alert = alerts.decode(message.value())
            what = (alert.customer_id, str(alert.type), alert.level, alert.occurred_at, alert.probability)
            first, receipt = told.setdefault(alert.alert_id, what), receipts.setdefault(alert.alert_id, alert.receipt)
            assert first == what, f"told {first} by {receipt}, then {what} by {alert.receipt}"
    return told


def recount(log) -> dict[bytes, list[int]]:
    """Engaged events per customer and channel, counted from the log alone."""
    counts = {key: [0, 0, 0] for _, key, _ in log}
    for topic, key, value in log:
        counts[key][TOPICS.index(topic)] += not orjson.loads(value).get("machine", False)
    return counts
