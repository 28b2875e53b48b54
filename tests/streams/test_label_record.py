"""What a label is on its way to the trainer."""

import tracemalloc

from streams import label_record
from tests.models.label_log import LOG

LABELS = [placed.label for placed in LOG[::5]]


def test_a_label_comes_back_as_it_was_to_the_last_bit():
    assert {label.kind for label in LABELS} == {"step", "horizon"}
    for label in LABELS:
        assert label_record.decode(label_record.encode(label), label_record.HEADERS) == label


def test_labels_that_wait_to_be_sent_take_up_little_more_than_what_they_say():
    """Twenty thousand may wait in a worker (`streams.engine.engine.OUTBOX_LIMIT`); they once took up ten times that."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        bodies = [label_record.encode(label) for label in LABELS]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1.5 * sum(map(len, bodies))
