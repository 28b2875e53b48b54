"""An upgrade has come this far: what a newer release published ends an older process, with one clear line."""

import asyncio
import logging

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from models.scorer import Scorer
from streams import worker
from streams.cli import main
from streams.engine.engine import EXIT_NEWER
from streams.engine.outbox import Outbox
from streams.metrics.training import TrainingMetrics
from streams.model_book import ModelBook
from streams.model_topic import LATEST, TRAINER
from streams.training import TrainingLine, follow_models
from tests.logged import fields_of
from tests.streams.label_shop import label, open_shop

NEWER_MODEL = b'{"format":"yocho-model","version":3,"weights":{"in":"another form"}}'
NEWER_STATE = b'{"format":"yocho-trainer","version":2,"contest":"in another form"}'


@pytest.fixture
def shop():
    with open_shop() as shop:
        yield shop


def refused_by_a_trainer(shop):
    """What a trainer that starts now says before it ends."""

    async def train():
        line = TrainingLine(
            shop.settings(), Outbox(lambda: None), TrainingMetrics(CollectorRegistry()), shop.refused.append
        )
        line.follow_assignment({0})
        async with asyncio.timeout(20):
            while not shop.refused:
                await asyncio.sleep(0.02)
        await line.stop()

    asyncio.run(train())
    return shop.refused


def test_a_trainer_does_not_begin_anew_beside_a_newer_trainers_state(shop):
    """It would publish models that know nothing over those that do."""
    shop.send(*map(label, range(21)))
    shop.train(20)
    shop.publish((TRAINER, NEWER_STATE))
    shop.send(*map(label, range(21, 60)))
    (said,) = refused_by_a_trainer(shop)
    assert said == (
        "model at churn-model partition 0 offset 3: trainer's state has version 2, this code reads version 1"
    )
    assert shop.published(TRAINER)[-1] == NEWER_STATE


def test_a_trainer_passes_over_no_label_of_a_newer_release(shop):
    shop.producer.send("churn-labels", key=b"c", value=b"{}", partition=1, headers=[("version", b"2")])
    shop.send(*map(label, range(21)))
    (said,) = refused_by_a_trainer(shop)
    assert said == "label at churn-labels partition 1 offset 0: label has version 2, this code reads version 1"


def test_a_worker_that_follows_models_ends_when_a_newer_one_is_published(shop):
    async def follow():
        book = ModelBook(Scorer.cold(shop.settings().target), pinned=False)
        following = asyncio.create_task(follow_models(shop.settings(), book, shop.refused.append))
        shop.publish((LATEST, NEWER_MODEL))
        await asyncio.wait_for(following, 20)

    asyncio.run(follow())
    assert shop.refused == [
        "model at churn-model partition 0 offset 0: model snapshot has version 3, this code reads version 2"
    ]


def test_a_worker_that_starts_beside_a_newer_model_says_so_in_one_line_and_ends(shop, caplog, monkeypatch):
    shop.publish((LATEST, NEWER_MODEL))
    monkeypatch.setattr(worker, "settle_in", lambda: None)
    settings = shop.settings(metrics_port=0)
    with caplog.at_level(logging.WARNING):
        assert worker.run_worker(settings, "WARNING") == EXIT_NEWER == 65
    (record,) = (record for record in caplog.records if record.name.startswith("streams"))
    assert record.exc_info is None
    assert record.getMessage() == "this worker ends: a newer yocho is at work here"
    assert fields_of(record) == {
        "why": "model at churn-model partition 0 offset 0: model snapshot has version 3, this code reads version 2",
        "exit_code": 65,
    }


def test_an_alert_of_a_newer_release_is_told_and_not_shown_to_be_misread(shop):
    newer = [("ce_type", b"yocho.alert.opened.v3")]
    shop.producer.send("churn-alerts", key=b"c1", value=b'{"n":3}', partition=1, headers=newer)
    shop.producer.send("churn-alerts", key=b"c1", value=b'{"n":2}', partition=1, headers=[("ce_type", b"a.v2")])
    shop.producer.flush()
    variables = {"YOCHO_BROKERS": shop.bootstrap}
    result = CliRunner().invoke(main, ("alerts", "--json", "--from-start", "--until-idle", "0.5"), env=variables)
    assert result.stdout.splitlines() == ['{"n":2}']
    place = "churn-alerts partition 1 offset 0"
    assert result.stderr == f"yocho alerts: {place}: alert has version 3, this code reads version 2\n"
