"""How a worker uses the machine it runs on."""

import os
import subprocess
import sys

import pytest

THREADS_OF_BLAS = """
from threadpoolctl import threadpool_info
import numpy, streams.machine as machine
threads = lambda: [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
before = threads()
machine.keep_algebra_on_one_thread()
print(max(before), *threads())
"""


@pytest.mark.skipif(os.cpu_count() == 1, reason="BLAS has one thread on one core anyway")
def test_matrix_products_stay_on_the_thread_that_asks_for_them():
    said = subprocess.run([sys.executable, "-c", THREADS_OF_BLAS], check=True, capture_output=True, text=True).stdout
    before, *after = map(int, said.split())
    assert before > 1
    assert set(after) == {1}


LEARN = """
import numpy as np
from models.experts.second_order import SecondOrder
from streams.machine import keep_algebra_on_one_thread
keep_algebra_on_one_thread()
chance = np.random.default_rng(5)
logit = SecondOrder(np.ones(90))
for day in range(3):
    logit.learn(chance.normal(size=(3_000, 90)), chance.integers(0, 2, 3_000).astype(float), days=day)
print(logit.weights.tobytes().hex())
"""


def test_what_is_learnt_does_not_depend_on_how_many_threads_there_might_be():
    learnt = [
        subprocess.run(
            [sys.executable, "-c", LEARN],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads},
            check=True,
            capture_output=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert learnt[0] == learnt[1]
    assert len(learnt[0]) > 90
