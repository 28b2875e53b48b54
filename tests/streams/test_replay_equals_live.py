"""A replay gives the alerts that living through it gave: the same ids, levels and event times, however it was read.

Live and at full speed, in order and shuffled within the bound, once and with duplicates, in 1, 4 and 12 partitions.
"""

import os

import pytest

from tests.streams.deliveries import School, Shop, doubled, history, on_time, shuffled

SEEDS = range(200 if os.environ.get("HYPOTHESIS_PROFILE") == "nightly" else 20)

DELIVERIES = {
    "at full speed": lambda shop, log, seed: shop.at_once(on_time(log), seed),
    "shuffled, live": lambda shop, log, seed: shop.live(shuffled(log, seed)),
    "shuffled, at full speed": lambda shop, log, seed: shop.at_once(shuffled(log, seed), seed),
    "with duplicates": lambda shop, log, seed: shop.at_once(doubled(log, seed), seed),
}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_delivery_gives_the_alerts_of_living_through_it(seed, monkeypatch):
    log = history(seed)
    lived = Shop(monkeypatch, partitions=1).live(on_time(log)).told()
    assert lived, "a history without news proves nothing"
    for n, (name, deliver) in enumerate(DELIVERIES.items()):
        shop = Shop(monkeypatch, partitions=[1, 4, 12, 4][(n + seed) % 4])
        assert deliver(shop, log, seed).told() == lived, name


@pytest.mark.parametrize("seed", SEEDS[::5])
def test_a_replay_with_the_recorded_models_gives_the_alerts_of_the_learning_run(seed, monkeypatch):
    """Learning is asynchronous; each version names the second from which it counts, and is kept by its name."""
    log, options = history(seed), {"learn": "on", "pinned": False}
    school = School(Shop(monkeypatch, partitions=1, **options))
    lived = school.shop.live(on_time(log), school.learn).told()
    versions = {told[-1] for told in lived} - {""}
    assert len(versions) > 2, "the models must matter"
    for n, (name, deliver) in enumerate(DELIVERIES.items()):
        shop = Shop(monkeypatch, partitions=[4, 12, 1, 4][n], scorers=school.recorded, **options)
        assert deliver(shop, log, seed).told() == lived, name
