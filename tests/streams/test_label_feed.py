"""The labels' topic as a feed: how many labels wait is known as soon as the brokers have said where it ends."""

import asyncio

from streams.label_feed import LabelFeed
from tests.streams.label_shop import label, open_shop


def test_what_waits_is_counted_from_where_the_trainer_stands():
    with open_shop() as shop:
        shop.send(*map(label, range(21)))  # eleven on partition 0, ten on partition 1

        async def read():
            async with LabelFeed(shop.settings(), {0: 4}) as feed:
                at_first, taken = feed.pending({0: 4}), 0
                while taken < 17:
                    taken += len(await feed.take())
                return at_first, feed.pending({0: 4}), feed.pending({0: 11, 1: 3}), feed.pending({0: 11, 1: 10})

        assert asyncio.run(asyncio.wait_for(read(), 40)) == (0, 17, 7, 0)
