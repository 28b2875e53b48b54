"""Whatever happens between two steps of a commit: nothing is lost, nothing sticks, nothing counts twice."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.streams.engine.world import World

N_CASES = max(500, settings.default.max_examples)
"""500 in `make test`, 10,000 in the nightly profile (tests/conftest.py)."""

source = st.integers(0, 2)
few = st.integers(0, 6)
append = st.tuples(st.just("append"), source, st.integers(0, 3), st.integers(0, 30), st.sampled_from([0, 0, 0, 2]))
work = st.one_of(
    append,
    st.tuples(st.just("fetch"), source, st.integers(1, 8)),
    st.tuples(st.just("deliver"), source),
    st.tuples(st.just("turn")),
)
accident = st.one_of(
    st.tuples(st.just("crash"), few, st.booleans()),
    st.tuples(st.just("refuse"), few),
    st.tuples(st.just("revoke"), st.booleans(), st.booleans()),
    st.tuples(st.just("seek")),
    st.tuples(st.just("freeze")),
    st.tuples(st.just("thaw")),
)
commit = st.tuples(st.just("commit"), st.lists(work, max_size=3))
round_trip = st.tuples(source, st.integers(1, 8)).map(
    lambda read: [("fetch", *read), ("deliver", read[0]), ("turn",)],
)
steps = st.lists(st.one_of(round_trip, work.map(lambda s: [s]), commit.map(lambda s: [s]), accident.map(lambda s: [s])), max_size=30)


@settings(max_examples=N_CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(append, max_size=15), steps)
def test_any_interleaving_of_work_commits_and_accidents_counts_every_event_once(log, steps):
    asyncio.run(World().run(log + [step for some in steps for step in some]))
