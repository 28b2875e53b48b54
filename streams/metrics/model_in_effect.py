"""Which model versions score on this worker, and how old they are."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from models.scorer import Scorer
from streams.engine.partition import PartitionRows
from streams.metrics.family import PARTITION, Family, Label

MODEL = Family(
    "yocho_model_info", "info",
    "Model versions in effect here, 1 for each; mostly one, as all partitions switch at the same stream time."
    " Workers that differ for long do not read the same topic of models.",
    (Label("version", says="version of a model in effect"),),
)  # fmt: skip
MODEL_AGE = Family(
    "yocho_model_age_seconds", "gauge",
    "Stream time since the model in effect took effect; nothing is shown while nothing has been learnt. If it only"
    " rises, no new version comes: look whether the trainer learns.",
    (PARTITION,),
)  # fmt: skip


class ModelGauges(Collector):
    """Models in effect on the partitions a worker owns.

    Parameters
    ----------
    partitions
        Gives the partitions that are owned at present.
    scorers
        Models in effect, by partition number; a partition that has not begun yet has none.
    """

    def __init__(
        self, partitions: Callable[[], Iterable[PartitionRows]], scorers: Callable[[], Mapping[int, Scorer]]
    ) -> None:
        self._partitions = partitions
        self._scorers = scorers

    def describe(self) -> Iterable[Metric]:
        return []  # families are known by name; nothing may be read before the worker owns partitions

    def collect(self) -> Iterator[Metric]:
        versions, age = MODEL.info(), MODEL_AGE.gauge()
        scorers, shown = self._scorers(), set[str]()
        for partition in list(self._partitions()):
            if (scorer := scorers.get(partition.number)) is None:
                continue
            if scorer.version not in shown:
                shown.add(scorer.version)
                versions.add_metric([], {"version": scorer.version})
            if scorer.effective_at_s and partition.stream_time_s:
                age.add_metric([str(partition.number)], max(0, partition.stream_time_s - scorer.effective_at_s))
        yield from (versions, age)
