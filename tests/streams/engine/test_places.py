"""Each of a customer's events is applied under one of their offsets, in rising order, whatever order they come in."""

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.places import Places


@given(st.lists(st.sampled_from("ab"), max_size=20), st.data())
def test_the_nth_event_applied_gets_the_nth_lowest_offset(customers, data):
    places, delivered, given_out = Places(), 0, {"a": [], "b": []}
    waiting = []
    while delivered < len(customers) or waiting:
        if delivered < len(customers) and (not waiting or data.draw(st.booleans())):
            places.delivered(customers[delivered], delivered)
            waiting.append(customers[delivered])
            delivered += 1
        else:
            whose = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            given_out[whose].append(places.taken(whose))
    for whose, offsets in given_out.items():
        assert offsets == [at for at, customer in enumerate(customers) if customer == whose]


def test_after_a_crash_what_was_applied_is_told_from_what_was_not():
    """Offsets 3 and 4 were applied in the order 4, 3; the row knows 3. Read again, 4 is a replay and 3 is not."""
    places = Places()
    for offset in (3, 4):
        places.delivered("c1", offset)
    known_by_the_row = places.taken("c1")
    places.clear()
    for offset in (3, 4):
        places.delivered("c1", offset)
    assert [places.taken("c1") <= known_by_the_row for _ in "43"] == [True, False]
