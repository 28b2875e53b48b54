"""How a process that works for a long time uses the machine, said once when it starts."""

import ctypes
import gc

import numpy as np  # noqa: F401 - its BLAS has to be there before it can be told anything
from threadpoolctl import threadpool_limits

M_MMAP_THRESHOLD, LARGE_BYTES = -3, 128 * 1024
"""Of the C library: https://man7.org/linux/man-pages/man3/mallopt.3.html; the size is its own first choice."""


def settle_in() -> None:
    """All of what follows: how a worker starts, and whatever is to be timed as one."""
    calm_garbage_collector()
    give_back_large_blocks()
    keep_algebra_on_one_thread()


def calm_garbage_collector() -> None:
    """Let the cyclic collector look less often, and never at what the imports left.

    A batch makes tens of thousands of short-lived tuples and no cycles. At Python's thresholds they set off full
    collections that walk every customer id again and again: a third of the worker's time at 100,000 customers.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def keep_algebra_on_one_thread() -> None:
    """Let NumPy's matrix products run on the thread that asks for them, in this process, from now on.

    Ours are small: a group of labels by some eighty features takes a third of a millisecond. BLAS would still share
    them out to a thread per core, which spin while they wait for one another: where the cores have other work, as
    beside brokers or in a container, learning took three times as long. A sum that is not shared out is also the same
    to the last bit on a machine with more cores.
    """
    threadpool_limits(limits=1, user_api="blas")


def give_back_large_blocks() -> None:
    """Return every large block of memory to the system once it is free, in this process, from now on.

    The GNU C library takes blocks of a size that was freed once, up to 32 MiB, from its heap thereafter, where small
    ones that are still in use keep them from being returned. Batches make and free arrays of some hundred kilobytes all
    the time, so a worker's memory would creep up to the most it ever needed at once, and look like a leak. Other C
    libraries are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
