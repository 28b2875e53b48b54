"""Faults of workers and brokers change nothing: the short ones of `tests.chaos`, on Apache Kafka."""

import pytest

from tests.chaos.run import disturbed, judge, undisturbed
from tests.chaos.stories import SHORT
from tests.end_to_end.brokers import kafka_only


@kafka_only
@pytest.mark.timeout(400)
@pytest.mark.parametrize("story", SHORT, ids=lambda story: story.name)
def test_a_disturbed_run_leaves_behind_what_an_undisturbed_one_does(story):
    log = story.log()
    expected = undisturbed(log)
    assert len(expected.alerts) > 100
    left, figures = disturbed(
        log, story.tell, nodes=story.nodes, workers=story.workers, pace_per_s=story.pace_per_s, **story.variables
    )
    judge(log, left, expected, figures)
