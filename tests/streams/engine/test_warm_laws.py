"""State from a copy on disk and the rest of the changelog is, to the last bit, state from the whole changelog."""

import logging
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.engine.changelog import OwnedRows
from tests.streams.engine.fakes import Written
from tests.streams.engine.warm_world import Disk, change, cold, commit, delete, taken_up, told

N_CASES = max(60, settings.default.max_examples // 2)
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk that syncs makes each start ten times slower
CUSTOMERS = [b"c1", b"c2", b"c3"]

customer, seed = st.sampled_from(CUSTOMERS), st.integers(0, 9)
work = st.one_of(
    st.tuples(st.just("change"), customer, seed),
    st.tuples(st.just("change"), customer, seed),
    st.tuples(st.just("delete"), customer),
    st.tuples(st.just("whole"), seed),
)
after_work = st.one_of(
    st.tuples(st.just("commit")),
    st.tuples(st.just("commit")),
    st.tuples(st.just("commit_twice")),
    st.tuples(st.just("foreign_owner"), customer, seed),
    st.tuples(st.just("late_owner"), customer, seed),
    st.tuples(st.just("foreign_tombstone"), customer),
    st.tuples(st.just("kill"), st.booleans()),
    st.tuples(st.just("stop")),
)
story = st.lists(st.tuples(st.lists(work, max_size=3), after_work), min_size=2, max_size=12)


class Owners:
    """One owner of a partition after the other on one machine, and others elsewhere."""

    def __init__(self, disk: Disk) -> None:
        self.disk, self.log, self.generation = disk, [], 0
        self.former: OwnedRows | None = None
        self.reach, self.was_at_end = -1, False
        self._begin()

    def _begin(self) -> None:
        self.copies = self.disk.copies()
        self.owned = taken_up(self.copies, self.log)
        assert told(self.owned.partition(0)) == told(cold(self.log))
        assert self.owned.from_disk == (self.reach if self.was_at_end else -1), "read more than is new"
        self.was_at_end, self.reach = self.owned.from_disk >= 0, len(self.log) - 1
        self.generation += 1
        self.owned.partition(0).take_over(self.generation)

    def change(self, key: bytes, seed: int) -> None:
        change(self.owned.partition(0), key, seed)

    def delete(self, key: bytes) -> None:
        delete(self.owned.partition(0), key)

    def whole(self, seed: int) -> None:
        rows = self.owned.partition(0)
        rows.stream_time_s += seed
        rows.memory = {"rates": {"orders": [seed / 3, seed]}}
        rows.bookmarks = {"orders": [[seed, seed * 1_000]]}

    def commit(self, *, twice: bool = False) -> None:
        before = len(self.log) - 1
        commit(self.owned, self.log, twice=twice)
        if before == self.reach and not twice:
            self.reach, self.was_at_end = len(self.log) - 1, True

    def commit_twice(self) -> None:
        self.commit(twice=True)

    def kill(self, in_commit: bool) -> None:
        """At any moment, or after a commit was acknowledged and before it was copied."""
        if in_commit:
            commit(self.owned, self.log, copied=False)
        self.disk.kill(self.copies)
        self._begin()

    def stop(self) -> None:
        self.commit()
        self.copies.close()
        self._begin()

    def foreign_owner(self, key: bytes, seed: int) -> None:
        """Somebody else takes the partition over, and this worker does not know."""
        other = OwnedRows()
        other.apply(0, self.log, len(self.log) - 1)
        self.generation += 1
        other.partition(0).take_over(self.generation)
        change(other.partition(0), key, seed)
        commit(other, self.log)
        self.former = other

    def late_owner(self, key: bytes, seed: int) -> None:
        """A former owner wakes up and writes."""
        if self.former is not None:
            change(self.former.partition(0), key, seed)
            commit(self.former, self.log)

    def foreign_tombstone(self, key: bytes) -> None:
        self.log.append(Written(key, None, []))


@pytest.fixture(autouse=True)
def without_warnings(caplog):
    caplog.set_level(logging.ERROR, "streams.engine.warm")


@settings(max_examples=N_CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=story)
def test_whatever_is_written_by_whomever_and_whenever_a_worker_dies(steps):
    """Each start is held against one without copies: every row, the partition's own record, and the epoch."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as root:
        owners = Owners(Disk(Path(root)))
        for before, (name, *arguments) in steps:
            for what, *details in before:
                getattr(owners, what)(*details)
            getattr(owners, name)(*arguments)
        owners.kill(in_commit=False)
        owners.copies.close()
