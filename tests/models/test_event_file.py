"""The simulated shop as an event log: what is written is what customers did, and reads back as that."""

import numpy as np
import pytest

from models.event_log import read_log
from models.events import Channel, Event
from models.simulator import CLIMATES, Shop, write_events

START_S = 1_704_067_200  # 2024-01-01
DAY_S = 86_400


@pytest.fixture(scope="module")
def few() -> list[Event]:
    return list(Shop(3, 30, START_S, climate=CLIMATES["community"]).events(START_S + 200 * DAY_S))


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz"])
def test_a_written_log_reads_back_as_what_customers_did(few, tmp_path, name):
    done = [event for event in few if event.engaged]
    assert write_events(few, tmp_path / name) == len(done) < len(few)
    log = read_log(tmp_path / name, Channel.LOGIN, "login")
    assert [log.customers[index] for index in log.customer] == [event.customer_id for event in done]
    assert log.at_s.tolist() == [event.at_s for event in done]
    assert log.channel.tolist() == [event.channel for event in done]
    assert np.array_equal(log.amount, np.array([event.amount for event in done], np.float32), equal_nan=True)
    assert log.skipped == {}


def test_equal_events_are_equal_files(few, tmp_path):
    write_events(few, tmp_path / "a.csv.gz")
    write_events(few, tmp_path / "b.csv.gz")
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()
