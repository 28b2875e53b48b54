"""The Faust agents of the first line: one per input topic, each hands its batches to the partition tasks.

Concurrency is one and the body never awaits, so batches arrive in the order they were fetched. No exception may leave
the body: Faust would acknowledge the batch all the same. What can fail per record is caught per record further on.
"""

from typing import Any

import faust

from streams.engine.engine import Engine
from streams.engine.store import RawBatches
from streams.topics import InputTopic


def add_agent(app: faust.App, engine: Engine, source: InputTopic, topic_name: str) -> Any:
    """Add the agent of one input.

    Parameters
    ----------
    app
        The Faust app.
    engine
        Where batches go.
    source
        The input.
    topic_name
        Its topic, prefix included.
    """
    topic = app.topic(topic_name, schema=RawBatches(), value_serializer="raw", key_serializer="raw")

    async def take(stream: faust.StreamT[Any]) -> None:
        async for records in stream:
            engine.deliver(records)

    return app.agent(topic, name=f"{source.event_type}-agent", concurrency=1)(take)
