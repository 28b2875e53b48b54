"""A histogram that takes a batch at once: what is measured for every event costs the hot path one call of NumPy.

Prometheus' client counts one observation at a time, in Python and under a lock. Here a batch is sorted into buckets as
an array; a scrape reads whole arrays that are replaced, never changed.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from streams.metrics.family import Family


class BatchHistogram(Collector):
    """A histogram with one label whose values are known.

    Parameters
    ----------
    family
        What it is.
    registry
        Where it is registered.

    Examples
    --------
    >>> from streams.metrics.family import Label
    >>> registry = CollectorRegistry()
    >>> waits = BatchHistogram(Family("w", "histogram", "Waits.", (Label("at", ("a",)),), buckets=(1.0, 2.0)), registry)
    >>> waits.observe("a", np.array([0.5, 1.0, 1.5, 9.0]))
    >>> [registry.get_sample_value("w_bucket", {"at": "a", "le": le}) for le in ("1.0", "2.0", "+Inf")]
    [2, 3, 4]
    """

    def __init__(self, family: Family, registry: CollectorRegistry) -> None:
        self._family = family
        self._ends = np.array(family.buckets)
        nothing = np.zeros(len(self._ends) + 1, np.int64), 0.0
        (label,) = family.labels
        self._seen: dict[str, tuple[NDArray[np.int64], float]] = dict.fromkeys(label.values, nothing)
        registry.register(self)

    def observe(self, value: str, numbers: NDArray[np.float64]) -> None:
        """Take n numbers under a value of the label; one equal to the end of a bucket is in it."""
        counts, total = self._seen[value]
        places = np.searchsorted(self._ends, numbers)
        self._seen[value] = counts + np.bincount(places, minlength=len(counts)), total + float(numbers.sum())

    def describe(self) -> Iterable[HistogramMetricFamily]:
        return [self._new_family()]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        shown = self._new_family()
        ends = [*map(floatToGoString, self._ends.tolist()), "+Inf"]
        for value, (counts, total) in list(self._seen.items()):
            cumulated = counts.cumsum().tolist()
            shown.add_metric([value], list(zip(ends, cumulated, strict=True)), total)
        yield shown

    def _new_family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._family.name, self._family.help, labels=self._family.label_names)
