"""The main job over CDNOW's real orders, where that file lies beside the checkout."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.end_to_end.main_job import assert_done, partition_by_partition, produced, run

CDNOW = Path(os.environ.get("YOCHO_CDNOW", Path(__file__).parents[2] / "../shared/data/cdnow_dev.csv.gz"))
CDNOW_ORDERS = 47_354
needs_cdnow = pytest.mark.skipif(not CDNOW.exists(), reason=f"no {CDNOW.name}: YOCHO_CDNOW says where it is")
pytestmark = pytest.mark.timeout(500)  # a minute where the machine is quiet


@pytest.fixture(scope="module")
def cdnow_run() -> SimpleNamespace:
    return run(CDNOW, timeout_s=400)


@needs_cdnow
def test_every_order_of_cdnow_is_processed_at_full_speed(cdnow_run):
    assert_done(cdnow_run, CDNOW_ORDERS)


@needs_cdnow
@pytest.mark.nightly  # most of a minute each
@pytest.mark.parametrize(
    ("sending", "variables"),
    [(produced(), {"YOCHO_MAX_BATCH": "173"}), (partition_by_partition, {})],
    ids=["another batch size", "another order of partitions"],
)
def test_alerts_of_cdnow_are_the_same_with(cdnow_run, sending, variables):
    assert run(CDNOW, sending, timeout_s=400, **variables).news == cdnow_run.news
