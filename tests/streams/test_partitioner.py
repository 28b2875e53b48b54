"""Everybody who writes agrees on where a customer lives: Kafka's murmur2, as Java has it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_pythons

from streams.partitioner import partition_of

# org.apache.kafka.common.utils.UtilsTest.testMurmur2
JAVA = {
    "21": -973932308,
    "foobar": -790332482,
    "a-little-bit-long-string": -985981536,
    "a-little-bit-longer-string": -1486304829,
    "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    "abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), JAVA.items())
@pytest.mark.parametrize("partitions", [1, 4, 1_000])
def test_it_is_the_hash_that_kafkas_own_tests_fix(key, hashed, partitions):
    assert partition_of(key.encode(), partitions) == (hashed & 0x7FFFFFFF) % partitions


@given(st.binary(min_size=1, max_size=300), st.integers(1, 1_000))
def test_kafka_python_puts_every_key_in_the_same_place(key, partitions):
    assert partition_of(key, partitions) == (kafka_pythons(key) & 0x7FFFFFFF) % partitions


def test_customers_spread_evenly():
    rng = random.Random(1)
    counts = [0] * 4
    for _ in range(8_000):
        counts[partition_of(b"%d" % rng.getrandbits(40), 4)] += 1
    assert max(counts) - min(counts) < 300
