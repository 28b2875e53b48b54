"""The topic of models: what a record holds, and reading it on a real (embedded) broker."""

import asyncio

import orjson
import pytest
from kafka import KafkaProducer

from models.churn_model import ChurnModel
from models.scorer import Scorer
from models.snapshot import SnapshotError
from streams.broker import EmbeddedBroker
from streams.model_topic import LATEST, ModelTopic, Published
from streams.settings import Settings
from tests.models.histories import TARGET, examples


def model(n=5):
    learnt = ChurnModel.for_target(TARGET)
    for x, y in examples(40)[:n]:
        learnt.learn_one(x, y)
    return learnt


def published(n=5, offsets=None):
    return Published(model(n).snapshot(effective_at_s=3_600), {0: 3, 3: 2} if offsets is None else offsets)


class TestRecords:
    def test_a_model_is_written_under_its_version_and_then_under_latest(self):
        """Whoever reads latest finds the version too, whenever the writing was cut off."""
        (version, body), (latest, same) = published().records()
        assert version == Scorer.from_snapshot(published().snapshot).version.encode()
        assert (latest, same) == (LATEST, body)

    def test_what_is_written_is_what_is_read(self):
        for _, value in published().records():
            assert Published.of(value).records() == published().records()
            assert Published.of(value).label_offsets == {0: 3, 3: 2}

    def test_it_is_plain_json_that_anybody_can_read(self):
        body = orjson.loads(published().records()[0][1])
        assert body["label_offsets"] == {"0": 3, "3": 2}
        assert body["snapshot"]["format"] == "yocho-model"

    @pytest.mark.parametrize(
        "value",
        [
            b"", b"{", b"null", b"[]", b"3", b"{}", b'{"snapshot":{}}', b'{"label_offsets":{}}',
            b'{"snapshot":{},"label_offsets":[]}', b'{"snapshot":{},"label_offsets":{"a":1}}',
            b'{"snapshot":{},"label_offsets":{"0":null}}', b"\xff",
            b'{"snapshot":3,"label_offsets":{}}', b'{"snapshot":[],"label_offsets":{}}',
        ],
    )  # fmt: skip
    def test_anything_else_is_refused(self, value):
        with pytest.raises(SnapshotError, match="not a published model"):
            Published.of(value)


def reading(records, follow=()):
    """Keys and label counts as handed over: of what was there, and of what came while following."""

    async def read(settings, produce):
        found, then = [], []
        async with ModelTopic(settings) as topic:
            await topic.read_to_end(lambda key, one: found.append((key, one.snapshot["n_labels"])))
            following = asyncio.create_task(topic.follow(lambda key, one: then.append((key, one.snapshot["n_labels"]))))
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
    first, second, third = published(1), published(2), published(3)
    found, then = reading([*first.records(), *second.records()], third.records())
    assert [(key == LATEST, n) for key, n in found] == [(False, 1), (True, 1), (False, 2), (True, 2)]
    assert [(key == LATEST, n) for key, n in then] == [(False, 3), (True, 3)]


def test_an_empty_topic_is_read_at_once():
    assert reading([]) == ([], [])


def test_a_record_that_is_no_model_keeps_nobody_from_the_others(caplog):
    good = published(2)
    found, _ = reading([(b"x", b'{"snapshot":3,"label_offsets":{}}'), (b"gone", None), *good.records()])
    assert [n for _, n in found] == [2, 2]
    assert [(r.levelname, "churn-model-0@0" in r.getMessage()) for r in caplog.records if "refused" in r.message] == [
        ("ERROR", True)
    ]
