"""Profiles and markers for every test.

`HYPOTHESIS_PROFILE=nightly` asks for 10,000 examples a property and runs the tests marked ``nightly``, too slow
for every change. A property that promises more in `make test` than the profile gives says so itself:
``@settings(max_examples=max(250, settings.default.max_examples))``.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

from streams.machine import keep_algebra_on_one_thread

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "dev")

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("nightly", max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.load_profile(PROFILE)
keep_algebra_on_one_thread()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "nightly: too slow for every change; runs with HYPOTHESIS_PROFILE=nightly")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if PROFILE != "nightly":
        skip = pytest.mark.skip(reason="runs with HYPOTHESIS_PROFILE=nightly (make nightly)")
        for item in items:
            if item.get_closest_marker("nightly"):
                item.add_marker(skip)
