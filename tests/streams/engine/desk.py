"""A partition task without an engine: two inputs, a line that notes what it is told, and ends that a test sets."""

from streams.engine.ledger import Ledger
from streams.engine.partition import PartitionRows
from streams.engine.task import PartitionTask
from tests.streams.engine.fakes import FakeSensor, log_record


class PlainLine:
    """Notes what it is told; a record's time is its value."""

    def __init__(self):
        self.applied, self.advanced, self.limits, self.switch_s, self.more_is_due = [], [], [], None, False

    def decode(self, number, records):
        return [(int(record.value) * 1000, record) for record in records]

    def process(self, partition, chunk):
        self.applied += [(record.topic, record.offset) for record in chunk]
        partition.stream_time_s = max(int(record.value) for record in chunk)

    def advance(self, partition, to_s, limit):
        self.advanced.append(to_s)
        self.limits.append(limit)
        partition.stream_time_s = to_s
        if self.switch_s is not None and to_s >= self.switch_s:
            self.switch_s = None  # made
        return not self.more_is_due

    def next_switch_s(self, partition):
        return self.switch_s


class Desk:
    """A task of two inputs and everything around it."""

    def __init__(self, max_batch=10, wall_clock=False):
        self.line, self.ends, self.paused, self.sensor = PlainLine(), [0, 0], [], FakeSensor()
        self.partition = PartitionRows(0)
        self.partition.stream_time_s = 1  # not the first record ever, which goes alone
        self.ledgers = [Ledger(), Ledger()]
        self.task = PartitionTask(
            self.partition,
            self.line,
            self.ledgers,
            ends=lambda number: self.ends[number],
            max_batch=max_batch,
            merge_wait_s=0.0,
            disorder_s=0,
            wall_clock=wall_clock,
            set_paused=lambda number, paused: self.paused.append((number, paused)),
            sensor=self.sensor,
        )

    def deliver(self, number, *seconds, first=0, end=None):
        records = [log_record(number, first + n, b"c1", at_s) for n, at_s in enumerate(seconds)]
        self.ledgers[number].fetched(records[0].offset, records[-1].offset)
        self.task.deliver(number, records)
        self.ends[number] = first + len(seconds) if end is None else end
        return self

    def work(self):
        while self.task.turn():
            pass
        return self

    @property
    def stream_time_s(self):
        return self.partition.stream_time_s

    def committable(self):
        return [ledger.committable for ledger in self.ledgers]
