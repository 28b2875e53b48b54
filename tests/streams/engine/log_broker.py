"""A broker as plain objects: input logs, committed offsets, and what was written."""

from collections import defaultdict

from faust.types import TP

from tests.streams.engine.fakes import OUTPUT, SOURCES, log_record

TPS = [TP(topic, 0) for topic in SOURCES]
DAY_S = 86_400
START_S = 852_076_800  # 1997-01-01


class Broker:
    """Input logs, committed offsets, written records."""

    def __init__(self) -> None:
        self.logs = {tp: [] for tp in TPS}
        self.committed: dict[TP, int] = {}
        self.written = defaultdict(list)
        self.ends: dict[TP, int] = dict.fromkeys(TPS, 0)
        self.generation = 0

    def append(self, source: int, customer: int, day: int, hole: int) -> None:
        tp = TPS[source]
        offset = self.ends[tp] + hole  # offsets have holes: compaction, transaction markers
        self.logs[tp].append(log_record(source, offset, b"c%d" % customer, START_S + day * DAY_S))
        self.ends[tp] = offset + 1

    def output(self) -> set[bytes]:
        return {record.value for record in self.written[OUTPUT, 0]}
