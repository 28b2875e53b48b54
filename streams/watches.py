"""Rules and model in effect on each partition, and the revisit of its customers after they changed.

Beside the first line: the pipeline looks at customers with what it finds here, and switches to another model when
stream time has come to where that takes effect.
"""

from collections.abc import Callable

from models.scorer import Scorer
from models.watch import Watch
from streams.engine.partition import PartitionRows
from streams.model_book import ModelBook
from streams.outages import Outages
from streams.replan import Replan


class Watches:
    """What the partitions of a worker are watched with.

    Parameters
    ----------
    book
        Which model is in effect at a stream time.
    watch
        Makes the rules around a scorer.
    outages
        Know the clocks of a partition's sources.
    """

    def __init__(self, book: ModelBook, watch: Callable[[Scorer], Watch], outages: Outages) -> None:
        self.book = book
        self._watch_of = watch
        self._outages = outages
        self._watches: dict[int, Watch] = {}
        self._replans: dict[int, Replan] = {}

    def of(self, partition: PartitionRows) -> Watch:
        """Rules and model of a partition; the first time those of its stream time, and a revisit goes on."""
        watch = self._watches.get(partition.number)
        if watch is None:
            scorer = self.book.in_effect(partition.stream_time_s)
            watch = self.renew(partition, scorer)
            self._replans[partition.number] = Replan.resumed(
                partition, scorer.version, scorer.effective_at_s, watch.tolerance_s
            )
        return watch

    def scorers(self) -> dict[int, Scorer]:
        """Models in effect, by number of the partitions that have begun; may be asked from another thread."""
        return {number: watch.scorer for number, watch in list(self._watches.items())}

    def replan(self, partition: PartitionRows) -> Replan:
        """Who is to be revisited, once the partition has begun."""
        return self._replans[partition.number]

    def renew(self, partition: PartitionRows, scorer: Scorer) -> Watch:
        """Go on with a model, on the clocks that the sources have now."""
        scorer = scorer.with_clocks(self._outages.feeds(partition).clocks)
        watch = self._watches[partition.number] = self._watch_of(scorer)
        return watch

    def revisit_all(self, partition: PartitionRows, at_s: int) -> None:
        """Have everybody asked again, as of a second, whether they are to be looked at sooner."""
        watch = self._watches[partition.number]
        self._replans[partition.number] = Replan.switched(partition, watch.scorer.version, at_s, watch.tolerance_s)

    def switch(self, partition: PartitionRows) -> bool:
        """Switch to the model whose time has come, if there is one; what was due before is done."""
        following = self.book.following(self.of(partition).scorer)
        if following is None or following.effective_at_s > partition.stream_time_s:
            return False
        self.renew(partition, following)
        self.revisit_all(partition, partition.stream_time_s)
        return True

    def clear(self) -> None:
        """Forget everything, after an assignment changed."""
        self._watches.clear()
        self._replans.clear()
