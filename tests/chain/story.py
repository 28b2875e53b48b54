"""What happens to the chain, in this order, and how long it took until somebody knew.

One of two workers is killed, then the other; both come back. Then the logins end, while orders and e-mail opens go on,
and come back.
"""

from dataclasses import dataclass
from functools import partial

from tests.chain.chain import Chain, Length
from tests.chain.feeds import Shop

DOWN, UNSERVED, SOURCE_OUT = "YochoWorkerDown", "YochoPartitionUnserved", "YochoSourceOut"
CUT = "logins"

SHORT = Length(
    by=20,
    every_s=1,
    shop=Shop(
        n_customers=400,
        per_hour={"orders": 30, "logins": 120, "email-opens": 30},
        per_s={"orders": 6, "logins": 20, "email-opens": 6},
        speed=600,
        lived_s=400,
    ),
    variables={
        "YOCHO_HORIZON": "28d",
        "YOCHO_LEARN": "on",
        "YOCHO_COMMIT_INTERVAL_S": "1",
        "YOCHO_SESSION_TIMEOUT_S": "3",
    },
)
"""In the time of a test: a session ends within 3 s, as a shortened rule waits 9 s for somebody to take over."""

FULL = Length(
    by=1,
    every_s=10,
    shop=Shop(
        n_customers=2_000,
        per_hour={"orders": 200, "logins": 2_400, "email-opens": 200},
        per_s={"orders": 12, "logins": 40, "email-opens": 12},
        speed=1,
        lived_s=0,
    ),
    variables={
        "YOCHO_HORIZON": "28d",
        "YOCHO_LEARN": "on",
        "YOCHO_CLOCK": "wall",
        "YOCHO_COMMIT_INTERVAL_S": "1",
        "YOCHO_SESSION_TIMEOUT_S": "10",
    },
)
"""The rules as they are, events of now. More comes in by the second than in the three weeks before, which would
otherwise take an hour to send: a source is out when less comes than usual, and never when more does."""


@dataclass(frozen=True)
class Interval:
    """An alert fired at Prometheus, for one set of its labels."""

    name: str
    from_s: float
    until_s: float


def fired(chain: Chain) -> list[Interval]:
    """Everything that has fired since Prometheus began, whether it had to or not."""
    found = chain.prometheus.since_start('ALERTS{alertstate="firing"}')
    return [Interval(one["metric"]["alertname"], one["values"][0][0], one["values"][-1][0]) for one in found]


def tell(chain: Chain) -> None:
    """Let it happen; `chain.marks` has the moments."""
    chain.pause(1.5)  # rates of a minute have seen nothing of the start any more
    chain.mark("well")
    chain.pause(3)
    _kill_both(chain)
    _cut_a_feed(chain)
    for name in (DOWN, UNSERVED, SOURCE_OUT):
        chain.wait(partial(chain.receiver.is_over, name), 12, f"{name} over, told")


def _kill_both(chain: Chain) -> None:
    chain.kill(1)
    _see(chain, DOWN, 5)
    chain.pause(2.5)
    chain.kill(0)
    _see(chain, UNSERVED, 7)
    chain.pause(0.5)
    for number in range(2):
        chain.start(number)
    chain.wait(lambda: chain.prometheus.now("up == 0") == [], 5, "both answer")
    chain.wait(lambda: not chain.firing() & {DOWN, UNSERVED}, 10, "both alerts over")


def _cut_a_feed(chain: Chain) -> None:
    chain.cut(CUT)
    chain.wait(lambda: chain.prometheus.now("yocho_source_stale_seconds > 0") != [], 30, f"{CUT} known to be out")
    _see(chain, SOURCE_OUT, 10)
    chain.pause(1)
    chain.restore(CUT)
    chain.wait(lambda: SOURCE_OUT not in chain.firing(), 10, f"{SOURCE_OUT} over")


def _see(chain: Chain, name: str, minutes: float) -> None:
    """See an alert fire within so many minutes, reach Alertmanager, and somebody who is told."""
    chain.wait(lambda: name in chain.firing(), minutes, f"{name} fires")
    chain.wait(lambda: chain.alertmanager.alerts().get(name) == "active", 1, f"{name} at Alertmanager")
    chain.wait(partial(chain.receiver.was_told, name), 3, f"{name} told")
