"""Wherever bad records lie among good ones, and however all are fetched: one dead letter each, and nothing else."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bad_input import BAD_INPUT
from tests.builders import START_MS, Record, email_open, login, order
from tests.streams.harness import FirstLine, in_pieces

DAYS = 16
GOOD = [
    make(f"c{1 + (day + number) % 3}", at=f"+{24 * day + number}h", event_id=f"e{day}-{number}")
    for day in range(DAYS)
    for number, make in enumerate((order, login, email_open))
    if day < DAYS // 2 or day % 3 == 0  # somebody goes silent
]
PLACES = st.lists(st.tuples(st.integers(0, len(GOOD)), st.sampled_from(BAD_INPUT)), max_size=30)


def lived_through(items, cuts):
    line = FirstLine()
    sent = line.send(*items)
    for piece in in_pieces(sent, cuts):
        line.fetch(piece)
    line.pass_time(f"+{DAYS + 9}d")
    return line


def told(line):
    """Alerts by customer: how those of several mix depends on when timers get their turn."""
    alerts = [(a.customer_id, a.alert_id, a.type, a.level, a.occurred_at, a.probability) for a in line.alerts()]
    return sorted(alerts, key=lambda alert: alert[0])


def left(line):
    return line.rows(without=("applied",)), line.partition.stream_time_s, told(line)


CLEAN = left(lived_through(GOOD, ()))


@settings(max_examples=max(25, settings.default.max_examples // 4))
@given(PLACES, st.lists(st.integers(0, len(GOOD) + 30), max_size=6))
def test_state_alerts_and_time_are_those_of_the_good_ones_alone(places, cuts):
    items = list(GOOD)
    for place, bad in sorted(places, key=lambda one: -one[0]):
        items.insert(place, Record(bad.source.key, 0, 0, START_MS, bad.key, bad.value))
    line = lived_through(items, cuts)
    assert left(line) == CLEAN
    letters = [(letter.key, letter.value, dict(letter.headers)["x-reason"]) for letter in line.dead_letters()]
    assert sorted(letters, key=repr) == sorted(
        ((bad.key, bad.value, str(bad.reason).encode()) for _, bad in places), key=repr
    )


def test_there_is_something_to_change():
    rows, _, alerts = CLEAN
    assert len(rows) == 3
    assert len(alerts) >= 3
