"""What a worker asks of the brokers before it starts."""

import pytest

from streams import provision, worker
from streams.cluster import Cluster
from streams.provision import Found, wanted
from streams.settings import Settings
from streams.topics import LABELS, MODEL
from streams.worker import UnfitTopicsError, require_topics

SETTINGS = Settings(partitions=6)


def on_a_broker_with(monkeypatch, partitions: dict[str, int], *, is_embedded=False):
    """A cluster that describes these topics."""
    found = {name: Found(name, count, 1, {}) for name, count in partitions.items()}
    monkeypatch.setattr(worker.Cluster, "reach", lambda settings: Cluster("127.0.0.1:9092", is_embedded))
    monkeypatch.setattr(provision, "describe", lambda cluster, settings: found)
    monkeypatch.setattr(worker.Cluster, "require_known", lambda cluster, topics: None)


def all_fit() -> dict[str, int]:
    return {topic.name: topic.partitions for topic in wanted(SETTINGS)}


def test_a_worker_starts_where_every_topic_has_its_partitions(monkeypatch):
    on_a_broker_with(monkeypatch, all_fit())
    require_topics(SETTINGS)


def test_a_missing_topic_is_named_with_the_command_that_makes_it(monkeypatch):
    """Faust would wait for it without a word."""
    topics = all_fit()
    del topics["logins"]
    on_a_broker_with(monkeypatch, topics)
    with pytest.raises(UnfitTopicsError, match=r"count: logins; .*yocho topics create"):
        require_topics(SETTINGS)


def test_a_topic_with_another_partition_count_is_refused(monkeypatch):
    """Customers would meet different workers for their orders and their logins."""
    on_a_broker_with(monkeypatch, {**all_fit(), "orders": 12})
    with pytest.raises(UnfitTopicsError, match="count: orders;"):
        require_topics(SETTINGS)


def test_a_trainer_asks_for_labels_and_models_alone(monkeypatch):
    """It may not be allowed to see the others."""
    on_a_broker_with(monkeypatch, {"churn-labels": 6, "churn-model": 1})
    require_topics(SETTINGS, (LABELS, MODEL))
    on_a_broker_with(monkeypatch, {"churn-labels": 6})
    with pytest.raises(UnfitTopicsError, match="count: churn-model;"):
        require_topics(SETTINGS, (LABELS, MODEL))


def test_the_embedded_broker_is_not_asked_as_it_makes_topics_on_sight(monkeypatch):
    on_a_broker_with(monkeypatch, {}, is_embedded=True)
    require_topics(SETTINGS)
