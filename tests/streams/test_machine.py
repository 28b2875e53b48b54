"""How a worker uses the machine it runs on."""

import os
import platform
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
    several = {**os.environ, "OPENBLAS_NUM_THREADS": "2"}  # whatever the caller has set
    said = subprocess.run([sys.executable, "-c", THREADS_OF_BLAS], env=several, check=True, capture_output=True).stdout
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


FREE = """
import sys
from pathlib import Path
import numpy as np
from streams.machine import give_back_large_blocks
resident = lambda: next(int(l.split()[1]) for l in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in l)
if sys.argv[1] == "given back":
    give_back_large_blocks()
np.ones(3_000_000)  # freed at once: the library has seen a large block
pairs = [(np.ones(100_000), np.ones(1_000)) for _ in range(100)]
before = resident()
small = [pair[1] for pair in pairs]
del pairs
print(before - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left as they are")
@pytest.mark.parametrize(("when", "least", "most"), [("given back", 70_000, 90_000), ("kept", -1_000, 30_000)])
def test_large_blocks_are_given_back_while_small_ones_between_them_are_in_use(when, least, most):
    freed_kib = int(subprocess.run([sys.executable, "-c", FREE, when], check=True, capture_output=True).stdout)
    assert least <= freed_kib <= most


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
