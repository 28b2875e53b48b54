"""Random logs of a few customers over two years, and what was told about them, for laws of the first line."""

from collections import defaultdict

from hypothesis import strategies as st

from models.target import DAY_S
from tests.builders import START_MS, ack, email_click, email_open, email_send, erase, login, order, snooze
from tests.streams.harness import FirstLine, in_pieces

END = "+800d"
KINDS = (
    order, order, login, email_open, lambda *a, **k: email_open(*a, machine=True, **k), email_send, email_click,
    lambda customer_id, at, event_id: ack(customer_id, at, command_id=event_id),
    lambda customer_id, at, event_id: snooze(customer_id, at, until=at + 3 * DAY_S * 1000, command_id=event_id),
    erase,
)  # fmt: skip
MAIL = {"email_sends_topic": "email-sends", "email_clicks_topic": "email-clicks"}
HOUR_MS = 3_600_000

# (customer, kind, hours since the one before; negative is late, by up to twice what is allowed), within two years
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["c1", "c2", "c3"]),
        st.integers(0, len(KINDS) - 1),
        st.sampled_from([0, 0, 1, 5, 30, 200, 400, -1, -8, -100, -336]),
    ),
    min_size=1,
    max_size=30,
)
CUTS = st.lists(st.integers(0, 40), max_size=8)


def log_of(steps, *, late=True):
    """Samples in the order they were sent; same steps, same bytes."""
    now_ms, samples = START_MS + 400 * HOUR_MS, []
    for n, (customer_id, kind, hours) in enumerate(steps):
        at = now_ms + hours * HOUR_MS
        if hours >= 0:
            now_ms = at
        elif not late:
            at = now_ms
        samples.append(KINDS[kind](customer_id, at=at, event_id=f"e{n % 30}"))
    return samples


def erased_of(samples):
    """Customers whom the log erases."""
    return {sample.event.customer_id for sample in samples if sample.body.get("kind") == "erase"}


def run(samples, cuts=(), **options):
    line = FirstLine(**MAIL, **options)
    for piece in in_pieces(line.send(*samples), cuts):
        line.fetch(piece)
    line.pass_time(END)
    return line


def by_customer(outs):
    told = defaultdict(list)
    for out in outs:
        told[out.key].append((out.value, out.headers))
    return told
