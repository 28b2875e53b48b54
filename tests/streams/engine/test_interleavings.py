"""Whatever happens, and whenever: nothing is lost, nothing sticks, nothing counts twice."""

import asyncio
import logging
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.streams.engine.log_broker import DAY_S
from tests.streams.engine.world import World

N_CASES = max(250, settings.default.max_examples)
"""500 in `make test`; 10,000 in the nightly profile of tests/conftest.py."""


def one_of(*steps):
    """One of these steps, each with any combination of its arguments; every step equally often."""
    return st.one_of(*(st.sampled_from(list(product([name], *arguments))) for name, *arguments in steps))


SOURCE, SOME, EITHER, SENDS = range(3), range(1, 9), (False, True), range(9)
APPEND = ("append", SOURCE, range(2), range(0, 30, 3), (0, 0, 0, 2))
PASS_ON = ("pass_on", SOME)

append = one_of(APPEND)
work = st.lists(
    one_of(PASS_ON, PASS_ON, APPEND, ("fetch", SOURCE, SOME), ("deliver", SOURCE), ("turn",)), min_size=1, max_size=4
)
commit = st.tuples(st.just("commit"), work)
accident = one_of(
    ("crash", SENDS, EITHER), ("refuse", SENDS), ("revoke", EITHER, EITHER), ("seek",), ("freeze",), ("thaw",)
)
scene = st.tuples(work, commit, work, accident).map(lambda s: [*s[0], s[1], *s[2], s[3]])
story = st.lists(scene, min_size=1, max_size=5).map(lambda scenes: [step for scene in scenes for step in scene])


@pytest.fixture(autouse=True)
def without_the_last_words_of_workers(caplog):
    caplog.set_level(logging.CRITICAL + 1, "streams.engine.engine")


@pytest.mark.timeout(1800)  # 10,000 cases took 370 s on two shared cores
@settings(max_examples=N_CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(max_batch=st.sampled_from([1, 3]), log=st.lists(append, min_size=10, max_size=25), steps=story)
def test_every_event_counts_once_whatever_happens_between_any_two_steps(max_batch, log, steps):
    """Commits never pass an unapplied record; state holds each record once; everything is committed in the end."""
    asyncio.run(World(max_batch).run(log, steps))


@pytest.mark.timeout(1800)
@settings(max_examples=N_CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(max_batch=st.sampled_from([1, 3]), log=st.lists(append, min_size=10, max_size=25), steps=story)
def test_nor_where_records_are_put_in_order_within_a_bound_that_some_break(max_batch, log, steps):
    """Days run from 0 to 27 in any order: within ten days records change places, beyond that they are late."""
    asyncio.run(World(max_batch, disorder_s=10 * DAY_S).run(log, steps))
