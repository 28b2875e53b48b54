"""Whatever happens, and whenever: nothing is lost, nothing sticks, nothing counts twice."""

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.streams.engine.world import World

N_CASES = max(500, settings.default.max_examples)
"""500 in `make test`; 10,000 in the nightly profile of tests/conftest.py."""


def step(name, *args):
    return st.tuples(st.just(name), *args)


source, several, either = st.integers(0, 2), st.integers(1, 8), st.booleans()
append = step("append", source, st.integers(0, 1), st.integers(0, 30), st.sampled_from([0, 0, 0, 2]))
work = st.lists(
    st.one_of(
        step("pass_on", source, several),
        step("pass_on", source, several),
        step("fetch", source, several),
        step("deliver", source),
        step("turn"),
        append,
    ),
    min_size=1,
    max_size=5,
)
accident = st.one_of(
    step("crash", st.integers(0, 8), either),
    step("refuse", st.integers(0, 8)),
    step("revoke", either, either),
    step("seek"),
    step("freeze"),
    step("thaw"),
)
commit = step("commit", work)
scene = st.tuples(work, commit | accident).map(lambda pair: [*pair[0], pair[1]])
story = st.lists(scene, min_size=1, max_size=8).map(lambda scenes: sum(scenes, []))


@settings(max_examples=N_CASES, deadline=None, suppress_health_check=list(HealthCheck))
@given(max_batch=st.sampled_from([1, 3]), log=st.lists(append, min_size=3, max_size=20), steps=story)
def test_every_event_counts_once_whatever_happens_between_any_two_steps(max_batch, log, steps):
    asyncio.run(World(max_batch).run([*log, *steps]))
