"""A family of series as it is declared: its name, what its labels may say, and help for whoever reads the number.

Each collector is made of such a declaration, and so is the table of them all (`streams.metrics.document`): there is no
second list that could differ. Names follow Prometheus: base units, ``_total`` on counters.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily

Kind = Literal["counter", "gauge", "histogram", "info"]

UNITS = {
    "seconds": "seconds",
    "bytes": "bytes",
    "ratio": "ratio, 0 to 1",
    "records": "records",
    "customers": "customers",
    "timers": "timers",
    "alerts": "alerts",
    "labels": "labels",
    "letters": "records",
}
"""By the word of a name that says it."""


@dataclass(frozen=True)
class Label:
    """A label.

    Parameters
    ----------
    name
        Of the label.
    values
        All it may say; empty where the deployment decides.
    says
        What it says in that case.
    """

    name: str
    values: tuple[str, ...] = ()
    says: str = ""


PARTITION = Label("partition", says="number of a partition")
TOPIC = Label("topic", says="name of an input topic")


@dataclass(frozen=True)
class Family:
    """A family of series.

    Parameters
    ----------
    name
        As /metrics shows it, ``_total`` and ``_info`` included.
    kind
        What may be asked of it; an info is a gauge of 1 whose labels are the message.
    help
        What it counts or measures, and what to do with the number.
    labels
        In their order.
    unit
        Where the name does not say it.
    buckets
        Upper ends, rising; of a histogram only.

    Examples
    --------
    >>> looks = Family("yocho_looks_total", "counter", "Looks.", (Label("at", ("day", "night")),))
    >>> registry = CollectorRegistry()
    >>> looks.counter(registry).labels("day").inc(2)
    >>> registry.get_sample_value("yocho_looks_total", {"at": "day"})
    2.0
    >>> list(looks.combinations())
    [('day',), ('night',)]
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels."""
        return tuple(label.name for label in self.labels)

    @property
    def measured_in(self) -> str:
        """The unit."""
        words = self.name.removesuffix("_total").split("_")
        return self.unit or next((UNITS[word] for word in reversed(words) if word in UNITS), "1")

    def combinations(self) -> Iterator[tuple[str, ...]]:
        """All series there may be, for labels whose values are known."""
        return itertools.product(*(label.values for label in self.labels))

    def counter(self, registry: CollectorRegistry, series: Iterable[tuple[str, ...]] = ()) -> Counter:
        """Make the counter; these series are there from the start, at zero, so that their first rise can be seen."""
        made = Counter(self.name.removesuffix("_total"), self.help, self.label_names, registry=registry)
        for values in series:
            made.labels(*values)
        return made

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """Make the histogram."""
        return Histogram(self.name, self.help, self.label_names, buckets=self.buckets, registry=registry)

    def kept_gauge(self, registry: CollectorRegistry) -> Gauge:
        """Make a gauge that keeps what it was last set to."""
        return Gauge(self.name, self.help, self.label_names, registry=registry)

    def gauge(self) -> GaugeMetricFamily:
        """Make a gauge that is to be filled at a scrape."""
        return GaugeMetricFamily(self.name, self.help, labels=self.label_names)

    def info(self) -> InfoMetricFamily:
        """Make an info that is to be filled at a scrape."""
        return InfoMetricFamily(self.name.removesuffix("_info"), self.help)


LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
"""One second, the promise, is one of them."""
