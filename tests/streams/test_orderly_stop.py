"""SIGTERM: what was applied is committed before the group is let go, whatever was under way when it came."""

import asyncio
from types import SimpleNamespace

import faust
import pytest

from streams import app as app_module
from streams.app import YochoApp
from tests.streams.engine.faust_app import consumer_of
from tests.streams.engine.office import ORDERS, Office, in_a_loop


@pytest.fixture
def stopping(monkeypatch):
    """An app whose engine is real, whose consumer commits into a list, and whose Faust does nothing more."""

    async def on_stop(_app):
        """What comes after the commit."""

    monkeypatch.setattr(faust.App, "on_stop", on_stop)
    monkeypatch.setattr(app_module.threading, "Timer", lambda *_: SimpleNamespace(start=lambda: None))
    app = YochoApp("yocho", broker="kafka://127.0.0.1:1", topic_allow_declare=False, web_enabled=False)
    office = Office()
    app.engine = office.engine
    app._consumer = consumer_of(app)
    committed = []

    async def commit_offsets(offsets, *, start_new_transaction):
        committed.append(offsets)
        return True

    monkeypatch.setattr(app._consumer, "_commit_offsets", commit_offsets)
    return app, office, committed


@in_a_loop
async def test_what_was_applied_while_a_commit_was_under_way_is_committed_with_its_state_before_the_end(stopping):
    """Faust would take the commit under way for the last one, and then commit again without the rows."""
    app, office, committed = stopping
    office.assign().receive(1)
    office.work()

    async def while_it_is_written(_topic):
        office.producer.after_send = None
        office.receive(2, first=1)
        office.work()
        app.stop_task = asyncio.ensure_future(app.on_stop())
        await asyncio.sleep(0)

    committed_when_told = []
    app.on_settled.append(lambda: committed_when_told.extend(committed))
    office.producer.after_send = while_it_is_written
    await app.consumer.commit()
    await app.stop_task
    assert committed == [{ORDERS: 1}, {ORDERS: 2}] == committed_when_told
    assert office.rows.partitions == {}
    await app.consumer.commit()
    assert committed == [{ORDERS: 1}, {ORDERS: 2}], "nothing is committed once the rows are gone"
