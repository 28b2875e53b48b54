"""The trainer as a process: when it does not start, and how it ends."""

import os
import signal

import pytest
from aiokafka.errors import KafkaTimeoutError

from streams.engine.engine import EXIT_FATAL, EXIT_NEWER
from streams.engine.outbox import Outbox
from streams.model_topic import TRAINER
from streams.settings import Settings, SettingsError
from streams.trainer import require_apart, run_trainer
from tests.logged import fields_of
from tests.streams.label_shop import label, open_shop


@pytest.fixture
def shop():
    with open_shop() as shop:
        yield shop


def run(shop, monkeypatch):
    """Run a trainer until it ends by itself; gives its exit code."""
    monkeypatch.setattr("streams.trainer.set_up_logging", lambda level, log_format: None)
    return run_trainer(shop.settings(trainer="apart", metrics_port=0, session_timeout_s=3.0), "WARNING")


def test_it_starts_only_where_workers_do_not_learn_and_somebody_should():
    require_apart(Settings(trainer="apart"))
    with pytest.raises(SettingsError, match="YOCHO_TRAINER"):
        require_apart(Settings(trainer="worker"))
    with pytest.raises(SettingsError, match="YOCHO_LEARN"):
        require_apart(Settings(trainer="apart", learn="off"))


def test_it_ends_with_a_code_of_its_own_where_a_newer_trainer_has_been(shop, monkeypatch, caplog):
    shop.publish((TRAINER, b'{"format":"yocho-trainer","version":2}'))
    assert run(shop, monkeypatch) == EXIT_NEWER
    (record,) = (record for record in caplog.records if record.name == "streams.trainer")
    assert record.exc_info is None
    about = fields_of(record)
    assert about["exit_code"] == EXIT_NEWER
    assert about["why"].startswith("model at churn-model partition 0 offset 0: trainer's state has version 2, ")


def test_it_ends_when_a_model_cannot_be_written_as_another_trainer_does_the_same_work(shop, monkeypatch, caplog):
    async def fail(outbox):
        raise KafkaTimeoutError

    monkeypatch.setattr(Outbox, "flush", fail)
    assert run(shop, monkeypatch) == EXIT_FATAL
    assert "the trainer ends and another one may go on" in caplog.text


def test_what_was_learnt_is_sent_before_it_ends(shop, monkeypatch):
    """SIGTERM right after the model was made, long before it would have been sent."""
    monkeypatch.setattr("streams.trainer.SEND_S", 3_600.0)
    put = Outbox.put

    def put_and_end(outbox, *record):
        put(outbox, *record)
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(Outbox, "put", put_and_end)
    shop.send(*map(label, range(21)))
    assert run(shop, monkeypatch) == 0
    assert [model.n_labels for model in shop.snapshots()] == [20]
