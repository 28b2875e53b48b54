"""Each role may do what the topic table says, and the printed commands say the same."""

import shlex

import pytest
from click.testing import CliRunner

from streams.acls import PROVISIONER, PROVISIONING, ROLES, Right, RoleError, default_user, require_role, rights, script
from streams.cli import main
from streams.cluster import ForbiddenError
from streams.settings import Settings
from streams.topics import ALERTS, COMMANDS, DEAD_LETTERS, LABELS, MODEL, TOPICS, enabled_inputs, event_inputs, in_use

SETTINGS = Settings(topic_prefix="eu.", group="shop", email_sends_topic="mails", brokers=("kafka-1:9093",))


def names(role, operation, settings=SETTINGS):
    return {r.name for r in rights(settings) if (r.role, r.resource, r.operation) == (role, "topic", operation)}


def topics(*which, settings=SETTINGS):
    return {topic.topic(settings) for topic in which}


def test_every_topic_in_use_has_somebody_who_writes_and_somebody_who_reads_it():
    written, read = (
        {name for role in ROLES if role != "operators" for name in names(role, operation)}
        for operation in ("Write", "Read")
    )
    everything = topics(*in_use(SETTINGS))
    assert written == everything
    assert read | names("operators", "Read") == everything


def test_readers_and_writers_of_the_topic_table_are_roles():
    parts = {part for topic in TOPICS for part in (topic.writer, *topic.readers)}
    assert parts <= set(ROLES)


def test_producers_only_write_what_customers_do():
    assert names("producers", "Write") == topics(*event_inputs(SETTINGS))
    assert names("producers", "Read") == set()


def test_a_worker_reads_its_inputs_and_writes_none():
    assert names("worker", "Read") >= topics(*enabled_inputs(SETTINGS))
    assert names("worker", "Write").isdisjoint(topics(*enabled_inputs(SETTINGS)))


def test_a_worker_that_does_not_learn_cannot_write_models():
    fixed = Settings(learn="off")
    assert topics(MODEL, settings=fixed) <= names("worker", "Read", fixed)
    assert topics(MODEL, settings=fixed).isdisjoint(names("worker", "Write", fixed))


def test_a_trainer_apart_reads_labels_and_models_and_alone_writes_models():
    apart = Settings(trainer="apart", group="shop")
    assert names("trainer", "Read", apart) == topics(LABELS, MODEL, settings=apart)
    assert names("trainer", "Write", apart) == topics(MODEL, settings=apart)
    assert topics(MODEL, settings=apart).isdisjoint(names("worker", "Write", apart))
    assert Right("trainer", "group", "shop-trainer", "Read") in rights(apart)
    assert not [right for right in rights(SETTINGS) if right.role == "trainer"]


def test_only_workers_are_in_a_group():
    assert [r for r in rights(SETTINGS) if r.resource == "group"] == [Right("worker", "group", "shop", "Read")]


def test_mailers_read_alerts_and_nothing_else():
    assert [r for r in rights(SETTINGS) if r.role == "mailers"] == [
        Right("mailers", "topic", ALERTS.topic(SETTINGS), "Read")
    ]


def test_people_say_something_only_on_commands():
    assert names("people", "Write") == topics(COMMANDS)


def test_operators_may_send_dead_letters_again_and_leave_a_receipt():
    assert names("operators", "Write") == topics(DEAD_LETTERS, *enabled_inputs(SETTINGS))
    assert topics(DEAD_LETTERS) <= names("operators", "Read")


def test_the_provisioner_makes_topics_and_neither_reads_nor_writes_them():
    assert {r.operation for r in rights(SETTINGS) if r.role == PROVISIONER} == set(PROVISIONING)
    assert all(names(PROVISIONER, operation) == topics(*in_use(SETTINGS)) for operation in PROVISIONING)
    assert {r.role for r in rights(SETTINGS) if r.operation == "Create"} == {PROVISIONER}


def test_operators_may_ask_how_long_our_own_topics_keep_an_erased_id():
    ours = topics(*(topic for topic in in_use(SETTINGS) if topic.config))
    assert names("operators", "DescribeConfigs") == ours == names("operators", "Read")


def test_no_right_is_given_twice_or_by_a_wildcard():
    given = rights(SETTINGS)
    assert len(given) == len(set(given))
    assert not any("*" in right.name for right in given)


def test_the_printed_commands_give_exactly_these_rights():
    run = CliRunner().invoke(
        main,
        ["topics", "acls", "--user", "worker=User:CN=churn 1", "--config", "me.properties"],
        env={"YOCHO_TOPIC_PREFIX": "eu.", "YOCHO_GROUP": "shop", "YOCHO_EMAIL_SENDS_TOPIC": "mails",
             "YOCHO_BROKERS": "kafka-1:9093"},
    )  # fmt: skip
    assert run.exit_code == 0, run.stderr
    users = {default_user(role): role for role in ROLES} | {"User:CN=churn 1": "worker"}
    said = set()
    for words in map(shlex.split, filter(lambda line: line[0] != "#", run.stdout.splitlines())):
        assert words[:6] == ["kafka-acls.sh", "--bootstrap-server", "kafka-1:9093", "--command-config",
                             "me.properties", "--add"]  # fmt: skip
        options = list(zip(words[6::2], words[7::2], strict=True))
        (role,) = (users[value] for name, value in options if name == "--allow-principal")
        ((resource, name),) = ((n[2:], value) for n, value in options if n in ("--topic", "--group"))
        said |= {Right(role, resource, name, value) for option, value in options if option == "--operation"}
    assert said == set(rights(SETTINGS))


def test_a_role_that_does_not_exist_is_named_with_those_that_do():
    with pytest.raises(RoleError, match="no role is called wroker: there are producers, worker"):
        list(script(SETTINGS, {"wroker": "User:x"}, "admin.properties"))
    run = CliRunner().invoke(main, ["topics", "acls", "--user", "worker"])
    assert run.exit_code == 2
    assert "ROLE=USER" in run.stderr


class Brokers:
    """A cluster that allows some things; topics that it does not name do not exist."""

    def __init__(self, have, *, joins=True, is_embedded=False):
        self._have, self._joins, self.is_embedded = have, joins, is_embedded

    def allowed(self, topics):
        asked = set(topics)
        return {name: operations for name, operations in self._have.items() if name in asked}

    def may_join(self, group):
        return self._joins


def everything(role):
    names = {right.name for right in rights(SETTINGS) if right.role == role}
    return {name: {"READ", "WRITE", "CREATE", "DESCRIBE", "DESCRIBE_CONFIGS"} for name in names}


def test_a_role_with_all_its_rights_begins_and_missing_topics_are_somebody_elses_word():
    require_role(Brokers(everything("worker")), SETTINGS, "worker")
    require_role(Brokers({}), SETTINGS, "worker")


def test_a_role_that_lacks_something_is_told_what():
    have = everything("worker") | {"eu.churn-alerts": set(), "eu.orders": {"WRITE"}}
    with pytest.raises(ForbiddenError) as refused:
        require_role(Brokers(have, joins=False), SETTINGS, "worker")
    lacking = "Read group shop, Write topic eu.churn-alerts, Read topic eu.orders"
    assert str(refused.value) == f"no right to {lacking}; yocho topics acls tells who needs which"


def test_the_embedded_broker_knows_no_rights():
    require_role(Brokers({"eu.orders": set()}, is_embedded=True), SETTINGS, "worker")
