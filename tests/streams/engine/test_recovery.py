"""The flow is stopped, and the engine told, before Faust seeks and lets events through."""

import asyncio
from types import SimpleNamespace

import pytest
from faust.tables.recovery import Recovery
from faust.types import TP

from streams.engine.recovery import SafeRecovery
from tests.streams.engine.faust_app import NotingEngine, app_with

METHODS = ["on_recovery_completed", "_resume_streams"]


@pytest.fixture
def recover(monkeypatch):
    """Ends a recovery of a generation, in a group that has come to another or not; gives what followed."""

    def ended(method, generation_id, group_generation_id, *, again=False, revoked=False):
        engine = NotingEngine()
        engine.awaits_state = not revoked
        app = app_with(engine)
        app.consumer_generation_id = group_generation_id
        monkeypatch.setattr(app, "_consumer", SimpleNamespace(stop_flow=lambda: engine.notes.append("flow stopped")))

        async def faust_goes_on(recovery, generation_id=0):
            engine.notes.append(f"seek in generation {generation_id}")

        monkeypatch.setattr(Recovery, method, faust_goes_on)
        if again:
            app.tables.recovery.signal_recovery_start.set()
        asyncio.run(getattr(app.tables.recovery, method)(generation_id))
        return engine.notes

    return ended


@pytest.mark.parametrize("method", METHODS)
def test_events_meet_complete_rows_and_a_stopped_flow_until_the_seek_is_done(recover, method):
    """Faust resumes source partitions before it seeks them; a batch fetched in between would be skipped (issue 596)."""
    assert recover(method, 7, 7) == ["flow stopped", "recovered", "seek in generation 7"]


@pytest.mark.parametrize("method", METHODS)
def test_a_recovery_that_a_rebalance_cut_short_is_not_taken_for_a_complete_one(recover, method):
    """Whoever owned such rows would pass the rest of the changelog over as that of an older owner."""
    assert recover(method, 7, 8) == []
    assert recover(method, 7, 7, again=True) == []
    assert recover(method, 7, 7, revoked=True) == [], "there is nothing to wait for once partitions are revoked"


def test_a_changelog_is_read_on_from_where_the_rows_reach_and_from_its_beginning_where_they_were_dropped():
    """Faust would go on from where it had read to, and the partition would be served without its customers."""
    app = app_with(NotingEngine())
    table, recovery, tp = app.Table("customers", partitions=4), app.tables.recovery, TP("log", 0)
    table.rows.partition(0)
    table.rows.written(0, 41)
    recovery.add_active(table, tp)
    assert recovery.active_offsets[tp] == 41
    table.rows.keep_only(())
    recovery.add_active(table, tp)
    assert recovery.active_offsets[tp] is None


def test_the_table_manager_makes_our_recovery_and_makes_it_once():
    tables = app_with(NotingEngine()).tables
    assert isinstance(tables.recovery, SafeRecovery)
    assert tables.recovery is tables.recovery


def test_what_is_left_to_restore_is_counted_over_all_changelogs():
    tables = app_with(NotingEngine()).tables
    recovery = tables.recovery
    assert tables.remaining() == 0
    recovery.active_highwaters.update({TP("log", 0): 9, TP("log", 1): -1, TP("log", 2): 4})
    recovery.active_offsets.update({TP("log", 0): 3, TP("log", 1): -1, TP("log", 2): 4})
    assert tables.remaining() == 6
    recovery.active_offsets[TP("log", 0)] = 12  # a writer went on meanwhile
    assert tables.remaining() == 0
