"""The embedded broker: topics as asked, reached by every client, gone when closed."""

import socket

import pytest
from kafka import TopicPartition

from streams.broker import BrokerError, EmbeddedBroker
from streams.cluster import Cluster, UnreachableError
from streams.follow import follow
from streams.forward import Forwarder
from streams.settings import Settings
from streams.topics import in_use


def cluster_of(broker):
    return Cluster.reach(Settings(brokers=(broker.bootstrap,)))


def partitions_of(cluster):
    with cluster.admin() as admin:
        return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}


def test_it_has_every_topic_of_a_deployment_with_the_right_partition_count():
    settings = Settings(partitions=7, group="shop", topic_prefix="t.")
    with EmbeddedBroker.for_settings(settings) as broker:
        found = partitions_of(cluster_of(broker))
    assert found == {topic.topic(settings): topic.partitions(settings) for topic in in_use(settings)}
    assert (found["t.orders"], found["t.churn-model"], found["shop-customers-changelog"]) == (7, 1, 7)


def test_what_is_produced_can_be_followed_in_order_per_partition():
    with EmbeddedBroker({"t": 2}) as broker:
        cluster = cluster_of(broker)
        producer = cluster.producer()
        for n in range(100):
            producer.send("t", key=b"k", value=b"%d" % n, partition=n % 2)
        producer.close()
        values = [record.value for record in follow(cluster, "t", from_start=True, until_idle_s=0.5)]
    assert [value for value in values if int(value) % 2] == [b"%d" % n for n in range(1, 100, 2)]
    assert len(values) == 100


def test_following_begins_with_the_next_record_unless_asked_otherwise():
    with EmbeddedBroker({"t": 2}) as broker:
        cluster = cluster_of(broker)
        producer = cluster.producer()
        producer.send("t", key=b"k", value=b"old")
        producer.flush()
        following = follow(cluster, "t", until_idle_s=0.5)
        assert list(following) == []
        producer.close()


def test_a_topic_that_does_not_exist_is_waited_for_and_an_empty_one_ends_when_idle():
    with EmbeddedBroker({"empty": 1}) as broker:
        cluster = cluster_of(broker)
        assert list(follow(cluster, "absent", from_start=True, until_idle_s=0.2)) == []
        assert list(follow(cluster, "empty", from_start=True, until_idle_s=0.2)) == []


def test_it_keeps_only_the_last_5_mib_of_a_partition():
    with EmbeddedBroker({"t": 1}) as broker:
        cluster = cluster_of(broker)
        producer = cluster.producer()
        for _ in range(12):
            producer.send("t", key=b"k", value=b"x" * 900_000)
        producer.close()
        consumer = cluster.consumer()
        tp = TopicPartition("t", 0)
        first, end = consumer.beginning_offsets([tp])[tp], consumer.end_offsets([tp])[tp]
        consumer.close()
    assert end == 12
    assert 5 <= end - first <= 7


def test_a_topic_is_made_once():
    with EmbeddedBroker({"t": 1}) as broker, pytest.raises(BrokerError, match="already exists"):
        broker.create_topic("t", 2)


def test_two_brokers_know_nothing_of_each_other():
    with EmbeddedBroker({"a": 1}) as one, EmbeddedBroker({"b": 1}) as other:
        assert set(partitions_of(cluster_of(one))) == {"a"}
        assert set(partitions_of(cluster_of(other))) == {"b"}


def test_a_fixed_port_leads_clients_on_to_the_broker():
    with EmbeddedBroker({"t": 3}) as broker, Forwarder(0, broker.bootstrap) as forwarder:
        cluster = Cluster.reach(Settings(brokers=(f"127.0.0.1:{forwarder.port}",)))
        assert partitions_of(cluster) == {"t": 3}
        producer = cluster.producer()
        producer.send("t", key=b"k", value=b"v").get(timeout=5)
        producer.close()


def test_a_port_in_use_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        Forwarder(taken.getsockname()[1], "127.0.0.1:1")


def test_closing_twice_is_no_error_and_nobody_answers_any_more():
    broker = EmbeddedBroker({})
    broker.close()
    broker.close()
    with pytest.raises(UnreachableError, match="refused"):
        cluster_of(broker)


def test_the_first_broker_that_answers_is_enough():
    with EmbeddedBroker({}) as broker:
        cluster = Cluster.reach(Settings(brokers=("127.0.0.1:1", broker.bootstrap)))
    assert cluster.is_embedded
    assert cluster.bootstrap.startswith("127.0.0.1:1,")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x00\x00\x0a" + b"\xff" * 10])
def test_something_that_is_not_kafka_is_said_to_be_so(answer):
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            connection.recv(1024)
            connection.sendall(answer)
            connection.close()

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(UnreachableError, match="Kafka"):
            Cluster.reach(Settings(brokers=(f"127.0.0.1:{server.getsockname()[1]}",)))
        thread.join()
