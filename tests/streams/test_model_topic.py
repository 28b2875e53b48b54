"""The topic of models: what its records hold, and reading them on a real (embedded) broker."""

import asyncio

import orjson
import pytest
from kafka import KafkaProducer

from models import learning_state
from models import snapshot as snapshots
from models.newer import NewerVersionError
from models.snapshot import SnapshotError
from streams.broker import EmbeddedBroker
from streams.model_topic import LATEST, TRAINER, ModelTopic, records
from streams.settings import Settings
from tests.logged import logged
from tests.models.label_log import LOG, taught, trainer

PUBLISHED = [learnt.publication for learnt in taught(trainer(every=100), LOG[:500]) if learnt.publication]


class TestRecords:
    def test_the_state_is_written_first_then_the_version_then_latest(self):
        """A crash in between then costs a version at most; the other way about labels would be learnt twice."""
        published = PUBLISHED[-1]
        (trainer_key, state), (version, body), (latest, same) = records(published)
        assert (trainer_key, version, latest) == (TRAINER, published.snapshot.name.encode(), LATEST)
        assert learning_state.decode(state) == published.state
        assert body == same

    def test_a_version_is_the_small_snapshot_alone_in_json_that_anybody_can_read(self):
        (_, state), (_, body), _ = records(PUBLISHED[-1])
        assert snapshots.decode(body) == PUBLISHED[-1].snapshot
        assert orjson.loads(body)["format"] == "yocho-model"
        assert len(body) < len(state) / 10

    def test_a_state_that_has_outgrown_the_bound_is_not_written(self):
        large = PUBLISHED[0].__class__(PUBLISHED[0].snapshot, {"x": "x" * learning_state.MAX_BYTES})
        with pytest.raises(SnapshotError, match="more than"):
            records(large)


def reading(records, follow=(), *, take=lambda key, value: None):
    """Keys as handed over: of what was there, and of what came while following."""

    async def read(settings, produce):
        found, then = [], []

        def note(into):
            def hand(key, value):
                take(key, value)
                into.append((key, value))

            return hand

        async with ModelTopic(settings) as topic:
            await topic.read_to_end(note(found))
            following = asyncio.create_task(topic.follow(note(then)))
            produce(follow)
            async with asyncio.timeout(20):
                while len(then) < len(follow):
                    await asyncio.sleep(0.02)
            following.cancel()
        return found, then

    settings = Settings(partitions=2)
    with EmbeddedBroker.for_settings(settings) as broker:
        producer = KafkaProducer(bootstrap_servers=broker.bootstrap, api_version=(2, 0))

        def produce(these):
            for key, value in these:
                producer.send("churn-model", key=key, value=value, partition=0)
            producer.flush()

        produce(records)
        result = asyncio.run(read(Settings(partitions=2, brokers=(broker.bootstrap,)), produce))
        producer.close()
    return result


def test_everything_is_handed_over_in_order_and_then_what_comes():
    first, second, third = map(records, PUBLISHED[:3])
    assert reading([*first, *second], third) == ([*first, *second], third)


def test_an_empty_topic_is_read_at_once():
    assert reading([]) == ([], [])


def test_a_record_that_is_refused_keeps_nobody_from_the_others(caplog):
    def take(key, value):
        if key == b"x":
            raise SnapshotError("not one of ours")

    good = records(PUBLISHED[0])
    found, _ = reading([(b"x", b"?"), (b"gone", None), *good], take=take)
    assert found == good
    about = {"topic": "churn-model", "partition": 0, "offset": 0, "why": "not one of ours"}
    assert logged(caplog.records) == [("model refused", about)]
    assert [record.levelname for record in caplog.records if "refused" in record.message] == ["ERROR"]


def test_a_record_of_a_newer_release_is_not_passed_over_and_its_place_is_told():
    def take(key, value):
        raise NewerVersionError("model snapshot has version 3, this code reads version 2")

    with pytest.raises(
        NewerVersionError, match="model at churn-model partition 0 offset 0: model snapshot has version 3"
    ):
        reading([(b"x", b"?")], take=take)
