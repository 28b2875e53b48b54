"""What was set aside by a worker and is sent back with the command counts as if it had come right at once."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import orjson
import pytest

from streams.partitioner import partition_of
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import PARTITIONS, Outbound, Probe, WorkerProcess, environment, send_to, settle
from tests.end_to_end.log import DAY_MS, START_MS
from tests.end_to_end.verifier import rows_of

N_CUSTOMERS = 12


def order(number, amount, *, partition=None):
    key = b"c%d" % number
    body = {"event_id": f"o{number}", "customer_id": key.decode(), "occurred_at": START_MS + DAY_MS, "amount": amount}
    home = partition_of(key, PARTITIONS)
    return Outbound("orders", home if partition is None else partition(home), key, orjson.dumps(body))


def astray(home):
    return (home + 1) % PARTITIONS


def counts(probe):
    return {key: row["count"].tolist() for key, row in rows_of(probe).items()}


@pytest.fixture(scope="module")
def story():
    """A producer with a partitioner of its own and one refund: listed, sent back, sent back again."""
    told = SimpleNamespace()
    with fresh_broker() as broker, Probe(broker.bootstrap) as probe:
        variables = environment(broker.bootstrap)

        def yocho(*arguments):
            command = (sys.executable, "-m", "streams", "dead-letters", *arguments)
            ended = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, check=False)
            assert ended.returncode == 0, ended.stderr
            return ended.stdout

        def listed():
            return [json.loads(line) for line in yocho("list", "--json").splitlines()]

        good = [order(n, 20) for n in range(N_CUSTOMERS)]
        strays = [order(n, 20, partition=astray) for n in range(N_CUSTOMERS, 2 * N_CUSTOMERS)]
        with WorkerProcess(variables) as worker:
            worker.wait_ready()
            send_to(broker.bootstrap, [*good, *strays, order(99, -5)])
            settle(worker, probe)
            told.before, told.listed = counts(probe), listed()
            told.dry = yocho("redrive", "--all", "--dry-run")
            settle(worker, probe)
            told.after_dry = counts(probe)
            told.redriven = yocho("redrive", "--all", "--yes")
            settle(worker, probe)
            told.after, told.listed_after = counts(probe), listed()
            told.again = yocho("redrive", "--all", "--yes")
            told.forced = yocho("redrive", "--reason", "wrong_partition", "--yes", "--again")
            settle(worker, probe)
            told.after_forced = counts(probe)
            told.code = worker.stop()
    return told


def test_what_came_to_a_wrong_partition_counts_after_it_was_sent_back(story):
    once = [1, 0, 0]
    assert story.before == {b"c%d" % n: once for n in range(N_CUSTOMERS)}
    assert story.after == {b"c%d" % n: once for n in range(2 * N_CUSTOMERS)}


def test_a_dry_run_sends_nothing(story):
    assert f"{N_CUSTOMERS} wrong_partition to orders" in story.dry
    assert story.after_dry == story.before


def test_each_letter_is_listed_and_says_later_that_it_was_sent_back(story):
    reasons = sorted(one["reason"] for one in story.listed)
    assert reasons == ["negative_amount", *["wrong_partition"] * N_CUSTOMERS]
    assert all(one["redriven_at"] is None for one in story.listed)
    sent_back = {one["id"] for one in story.listed_after if one["redriven_at"] is not None}
    assert sent_back == {one["id"] for one in story.listed}


def test_what_is_still_wrong_becomes_a_new_letter_that_names_the_old_one(story):
    (first,) = (one["id"] for one in story.listed if one["reason"] == "negative_amount")
    (second,) = (one for one in story.listed_after if one["redriven_from"] is not None)
    assert (second["reason"], second["redriven_from"]) == ("negative_amount", first)
    assert second["id"] != first


def test_a_second_redrive_sends_nothing_and_a_forced_one_counts_nobody_twice(story):
    assert f"{N_CUSTOMERS + 2} stay: sent back before" in story.again
    assert "nothing is sent" in story.again
    assert f"sent {N_CUSTOMERS} back" in story.forced
    assert story.after_forced == story.after


def test_the_worker_went_on_all_the_while(story):
    assert story.code == 0
