"""Which files come first: those that take longest, or a run on several processes would end by waiting for one."""

import pytest

LONGEST = (
    "test_cdnow_job", "test_chain_seen", "test_kill", "test_training_failover", "test_erased_everywhere",
    "test_upgrade", "test_main_job", "test_trainer_apart", "test_bad_input_at_volume",
)  # fmt: skip
"""Two minutes to three quarters of one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))
