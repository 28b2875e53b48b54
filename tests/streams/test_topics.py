"""One table of topics; the brokers are made and checked by it."""

import re

import pytest

from models.events import Channel, Source
from streams.broker import EmbeddedBroker
from streams.cluster import Cluster
from streams.provision import Found, check, create, describe, wanted
from streams.settings import Settings, SettingsError
from streams.topics import COMMANDS, INPUTS, READABLE, TOPICS, enabled_inputs, event_inputs, in_use, input_of

SENDS, CLICKS = {"email_sends_topic": "email-sends"}, {"email_clicks_topic": "clicks.v2"}


def test_the_three_inputs_of_the_mission_are_on_two_can_be_switched_on_and_four_are_declared():
    assert [topic.key for topic in event_inputs(Settings())] == ["orders", "logins", "email-opens"]
    assert [topic.channel for topic in event_inputs(Settings())] == list(Channel)
    everything = Settings(**SENDS, **CLICKS)
    assert [topic.key for topic in event_inputs(everything)[3:]] == ["email-sends", "email-clicks"]
    assert [topic.key for topic in INPUTS if not topic.is_enabled(everything)] == [
        "page-views", "carts", "inquiries", "feedback",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, []),
        (SENDS, ["eu.email-sends"]),
        (CLICKS, ["eu.clicks.v2"]),
        (SENDS | CLICKS, ["eu.email-sends", "eu.clicks.v2"]),
    ],
)
def test_a_setting_names_an_optional_input_and_switches_it_on(options, names):
    settings = Settings(topic_prefix="eu.", **options)
    always = ["eu.orders", "eu.logins", "eu.email-opens"]
    read = [*always, *names, "eu.churn-commands"]
    assert [topic.topic(settings) for topic in enabled_inputs(settings)] == read
    assert [w.name for w in wanted(settings)][: len(read)] == read


def test_commands_are_always_read_and_are_nothing_that_customers_do():
    assert COMMANDS in enabled_inputs(Settings())
    assert COMMANDS not in event_inputs(Settings())
    with pytest.raises(KeyError):
        input_of(COMMANDS.event_type)


@pytest.mark.parametrize("name", ["orders", "churn-labels", "yocho-customers-changelog"])
def test_an_optional_input_cannot_be_another_topic(name):
    with pytest.raises(SettingsError, match="YOCHO_EMAIL_CLICKS_TOPIC"):
        enabled_inputs(Settings(email_clicks_topic=name))
    with pytest.raises(SettingsError, match="YOCHO_EMAIL_CLICKS_TOPIC"):
        enabled_inputs(Settings(email_sends_topic="mail", email_clicks_topic="mail"))


def test_source_numbers_are_places_and_never_change():
    assert [topic.source for topic in INPUTS] == list(range(len(INPUTS)))
    assert [topic.source for topic in READABLE] == list(Source)


def test_everything_about_a_customer_is_co_partitioned():
    settings = Settings(partitions=12)
    counts = {topic.key: topic.partitions(settings) for topic in TOPICS}
    assert counts.pop("churn-model") == 1
    assert set(counts.values()) == {12}
    assert all(
        topic.record_key == "customer_id" for topic in TOPICS if topic.per_customer and topic.key != "dead-letters"
    )


def test_names_are_legal_and_take_prefix_and_group():
    settings = Settings(topic_prefix="eu.", group="shop")
    names = [topic.topic(settings) for topic in TOPICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,249}", name) for name in names)
    assert "eu.orders" in names
    assert "shop-customers-changelog" in names


def test_every_topic_has_one_writer_and_says_how_it_is_kept():
    for topic in TOPICS:
        assert topic.writer in {"producers", "worker", "trainer", "people"}
        assert topic.config.get("cleanup.policy", "producer") == topic.kept


def test_an_event_type_leads_to_its_readable_input():
    assert input_of("email_open").key == "email-opens"
    with pytest.raises(KeyError):
        input_of("cart")


def test_with_three_replicas_two_must_have_a_record():
    by_key = {w.topic.key: w for w in wanted(Settings(replication=3))}
    assert by_key["churn-alerts"].config["min.insync.replicas"] == "2"
    assert by_key["churn-alerts"].replication == 3
    assert by_key["orders"].config == {}
    assert "min.insync.replicas" not in {w.topic.key: w for w in wanted(Settings())}["churn-alerts"].config


def test_a_broker_made_for_the_settings_has_no_difference_and_nothing_to_create():
    with EmbeddedBroker.for_settings(Settings(partitions=3)) as broker:
        settings = Settings(partitions=3, brokers=(broker.bootstrap,))
        cluster = Cluster.reach(settings)
        assert check(cluster, settings) == []
        assert create(cluster, settings) == []
        assert {found.partitions for found in describe(cluster, settings).values()} == {1, 3}


def test_optional_inputs_are_made_and_checked_like_the_others():
    with EmbeddedBroker.for_settings(Settings(partitions=3)) as broker:
        settings = Settings(partitions=3, brokers=(broker.bootstrap,), **SENDS, **CLICKS)
        cluster = Cluster.reach(settings)
        assert [line.partition(":")[0] for line in check(cluster, settings)] == ["email-sends", "clicks.v2"]
    with EmbeddedBroker.for_settings(Settings(partitions=3, **SENDS, **CLICKS)) as broker:
        settings = Settings(partitions=3, brokers=(broker.bootstrap,), **SENDS, **CLICKS)
        assert check(Cluster.reach(settings), settings) == []


def test_missing_topics_and_wrong_counts_are_told_one_a_line():
    with EmbeddedBroker({"orders": 2}) as broker:
        settings = Settings(partitions=3, brokers=(broker.bootstrap,))
        differences = check(Cluster.reach(settings), settings)
    assert "orders: 2 partitions, not 3" in differences
    assert "churn-alerts: missing" in differences
    assert len(differences) == len(in_use(settings))


def test_creating_on_the_embedded_broker_makes_what_is_missing_and_twice_is_the_same():
    with EmbeddedBroker({"churn-model": 1}) as broker:
        settings = Settings(brokers=(broker.bootstrap,))
        cluster = Cluster.reach(settings)
        assert create(cluster, settings) == [w.name for w in wanted(settings) if w.name != "churn-model"]
        assert create(cluster, settings) == []
        assert check(cluster, settings) == []


def test_wrong_configuration_and_replication_of_our_own_topics_are_told(monkeypatch):
    settings = Settings(replication=3)
    found = {w.name: Found(w.name, w.partitions, 3, w.config) for w in wanted(settings)}
    found["orders"] = Found("orders", 4, 1, {})
    found["churn-alerts"] = Found("churn-alerts", 4, 1, {"cleanup.policy": "compact", "min.insync.replicas": "2"})
    monkeypatch.setattr("streams.provision.describe", lambda *_, with_config: found if with_config else {})
    assert check(Cluster("unused:1", is_embedded=False), settings) == [
        "churn-alerts: 1 replicas, not 3",
        "churn-alerts: cleanup.policy=compact, not delete",
    ]
