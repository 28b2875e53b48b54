"""A seeded event log for the end-to-end tests: customers with rhythms, some of whom go silent."""

import numpy as np
import orjson

DAY_MS = 86_400_000
START_MS = 1_700_006_400_000
TOPICS = ("orders", "logins", "email-opens")


def event_log(n_events: int, n_customers: int, days: int = 150, seed: int = 7) -> list[tuple[str, bytes, bytes]]:
    """(topic, key, value) in event-time order: half the customers stop somewhere in the middle."""
    rng = np.random.default_rng(seed)
    stops = np.where(rng.random(n_customers) < 0.5, rng.uniform(0.1, 0.9, n_customers), 1.0)
    customer = rng.integers(n_customers, size=n_events)
    at = np.sort(rng.random(n_events))
    at = np.where(at < stops[customer], at, at * stops[customer])
    order = np.argsort(at, kind="stable")
    channel = rng.choice(3, n_events, p=[0.3, 0.5, 0.2])
    return [_record(i, int(customer[j]), int(channel[j]), float(at[j]) * days) for i, j in enumerate(order)]


def _record(number: int, customer: int, channel: int, day: float) -> tuple[str, bytes, bytes]:
    customer_id = f"c{customer:05d}"
    details = ({"amount": 1000 + number % 500}, {"session_seconds": 60}, {"machine": number % 2 == 0})[channel]
    body = {
        "event_id": f"e{number}",
        "customer_id": customer_id,
        "occurred_at": START_MS + int(day * DAY_MS),
        **details,
    }
    return TOPICS[channel], customer_id.encode(), orjson.dumps(body)
