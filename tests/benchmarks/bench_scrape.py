"""What a scrape takes while its worker works off a backlog, against one while it waits: twelve partitions, a real log.

Whoever answers has to wait for the interpreter, which the line and the threads that fetch and send want as well. Asked
for as Prometheus does, from another process. YOCHO_TEST_BROKER=kafka: on Apache Kafka instead of the embedded broker.
"""

import gzip
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import numpy as np

from streams.settings import Settings
from tests.chaos.long_run import events
from tests.end_to_end.brokers import fresh_broker
from tests.end_to_end.cluster import WorkerProcess, environment, ordered_producer, series_of, total

N_PARTITIONS, N_EVENTS, N_CUSTOMERS = 12, 200_000, 20_000
BUSY = (0.1, 0.9)
"""Parts of the log between which the worker counts as busy: all inputs are open, nothing has run out."""
PAUSE_S, N_WAITING = 0.2, 60
BAR_S = 0.05
AS_PROMETHEUS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "Accept-Encoding": "gzip"}


def produce(bootstrap: str) -> None:
    """Put the whole log there before the worker starts."""
    producer = ordered_producer(bootstrap, linger_ms=50, queue_buffering_max_messages=2 * N_EVENTS)
    for topic, key, value in events(N_EVENTS, N_CUSTOMERS):
        producer.produce(topic, value, key)
        producer.poll(0)
    producer.flush()


def scrape(worker: WorkerProcess) -> tuple[float, float]:
    """Seconds from asking to the last byte, and the events that it has seen through."""
    assert worker.port is not None
    began_s = time.perf_counter()
    with closing(HTTPConnection("127.0.0.1", worker.port, timeout=10)) as connection:
        connection.request("GET", "/metrics", headers=AS_PROMETHEUS)
        page = connection.getresponse().read()
    taken_s = time.perf_counter() - began_s
    return taken_s, total(series_of(gzip.decompress(page).decode()), "yocho_events_total")


def while_busy(worker: WorkerProcess) -> Iterator[float]:
    """Scrapes of a worker at full speed; says how fast it was."""
    seen: list[tuple[float, float]] = []
    while (found := scrape(worker))[1] < BUSY[1] * N_EVENTS:
        if found[1] > BUSY[0] * N_EVENTS:
            seen.append((time.monotonic(), found[1]))
            yield found[0]
        time.sleep(PAUSE_S)
    (began_s, before), (ended_s, after) = seen[0], seen[-1]
    print(f"  {(after - before) / (ended_s - began_s):,.0f} events a second meanwhile")


def while_waiting(worker: WorkerProcess) -> Iterator[float]:
    """Scrapes once it has nothing to do."""
    while scrape(worker)[1] < N_EVENTS:
        time.sleep(PAUSE_S)
    for _ in range(N_WAITING):
        time.sleep(PAUSE_S)
        yield scrape(worker)[0]


def run() -> None:
    """Print the figures."""
    settings = Settings(partitions=N_PARTITIONS)
    print(f"scrapes of a worker with {N_PARTITIONS} partitions and {N_CUSTOMERS:,} customers")
    with fresh_broker(settings) as broker:
        produce(broker.bootstrap)
        variables = {"YOCHO_PARTITIONS": str(N_PARTITIONS), "YOCHO_HORIZON": "28d", "YOCHO_LEARN": "on"}
        with WorkerProcess(environment(broker.bootstrap, **variables)) as worker:
            worker.wait_ready()
            busy_s, waiting_s = (np.array([*scrapes(worker)]) for scrapes in (while_busy, while_waiting))
            assert worker.stop(60) == 0
    for name, times_s in (("busy", busy_s), ("waiting", waiting_s)):
        ms = np.percentile(times_s, (50, 90, 100)) * 1e3
        print(f"  {name:8} {len(times_s):3} scrapes: median {ms[0]:.1f}, p90 {ms[1]:.1f}, worst {ms[2]:.1f} ms")
    print(f"  busy against waiting: {np.median(busy_s) / np.median(waiting_s):.1f} (bar, busy: {BAR_S * 1e3:.0f} ms)")


if __name__ == "__main__":
    run()
