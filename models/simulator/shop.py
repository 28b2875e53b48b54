"""The shop: merges its customers' lives into one stream of events, and answers what was true about them."""

import functools
import heapq
import itertools
from collections.abc import Iterator

import numpy as np

from models.events import Channel, Event
from models.simulator.calendar import DAY_MS
from models.simulator.climate import CLIMATES, Climate
from models.simulator.life import Life, State, live
from models.simulator.weather import Weather

_PREFIX = "c"
_CHANNELS = tuple(Channel)


class Shop:
    """A simulated shop of a given seed, size and start; two equal ones are the same shop.

    Parameters
    ----------
    seed
        Picks the shop; >= 0.
    customers
        How many join during the opening; > 0. Later ones keep coming, 0.3 % of this a day unless the climate differs.
    start_at_s
        Event time at which the opening begins, epoch seconds, > 0.
    opening_days
        How long the opening takes, in days, > 0.
    climate
        How the shop fares over time, and who its customers are; see `models.simulator.climate`.

    Raises
    ------
    ValueError
        A parameter is out of its range.

    Notes
    -----
    Memory is that of the lives in progress, about 4 kB a customer.

    Examples
    --------
    >>> shop = Shop(seed=1, customers=50, start_at_s=1_700_000_000)
    >>> week = list(shop.events(until_s=1_700_604_800))
    >>> week[0].customer_id, week[0].channel, len(week)
    ('c0000000', <Channel.ORDER: 0>, ...)
    >>> shop.truth("c0000000", at_s=1_700_604_800)
    <State...>
    """

    def __init__(
        self,
        seed: int,
        customers: int,
        start_at_s: int,
        opening_days: float = 90.0,
        climate: Climate = CLIMATES["steady"],
    ) -> None:
        for name, value, least in (
            ("seed", seed, 0),
            ("customers", customers, 1),
            ("start_at_s", start_at_s, 1),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        if not opening_days > 0:
            raise ValueError(f"opening_days must be positive, got {opening_days}")
        self.seed = seed
        self.customers = customers
        self.start_at_s = start_at_s
        self.opening_days = opening_days
        self.climate = climate
        self._weather = Weather(climate, start_at_s * 1000 / DAY_MS, opening_days)
        # A life is a function of seed and number: the cache only saves time. A demo's customers fit in.
        self._life = functools.lru_cache(maxsize=20_000)(self._draw_life)

    def events(self, until_s: int | None = None) -> Iterator[Event]:
        """Yield all events before `until_s` in time order, lazily, from the start of the shop.

        Parameters
        ----------
        until_s
            Event time at which to stop, epoch seconds, exclusive; None never stops.

        Yields
        ------
        Event
            `amount` is yen, seconds, or NaN for opens; ties go to the customer with the lower number.
        """
        end_ms = np.inf if until_s is None else until_s * 1000
        waiting: list[tuple[int, str, int, Life]] = []  # next event of each living customer, soonest first
        arrivals = ((int(self._life(number).at_ms[0]), number) for number in itertools.count())
        next_ms, number = next(arrivals)
        while True:
            while not waiting or next_ms <= waiting[0][0]:
                heapq.heappush(waiting, (next_ms, _customer_id(number), 0, self._life(number)))
                next_ms, number = next(arrivals)
            at_ms, who, place, life = waiting[0]
            if at_ms >= end_ms:
                return
            yield _event(who, place, at_ms, life)
            if place + 1 < life.at_ms.size:
                heapq.heapreplace(waiting, (life.at_ms.item(place + 1), who, place + 1, life))
            else:
                heapq.heappop(waiting)

    def truth(self, customer_id: str, at_s: float) -> State:
        """Tell the latent state of a customer.

        Parameters
        ----------
        customer_id
            As in the events.
        at_s
            Event time, epoch seconds.

        Returns
        -------
        State
            The state in force at that time.

        Raises
        ------
        KeyError
            No such customer, or not joined yet.
        """
        life = self._life(_number(customer_id))
        place = int(np.searchsorted(life.state_at_ms, at_s * 1000, "right")) - 1
        if place < 0:
            raise KeyError(f"{customer_id} has not joined by {at_s}")
        return life.states[place]

    def leaving(self, customer_id: str, at_s: float, horizon_s: float) -> bool:
        """Tell whether a customer has no main event in [at, at + horizon): the label, known beforehand.

        Parameters
        ----------
        customer_id
            As in the events.
        at_s
            Event time, epoch seconds.
        horizon_s
            How long to look ahead, in seconds.

        Returns
        -------
        bool
            True when there is none in that time.

        Raises
        ------
        KeyError
            No such customer.
        """
        main_at_ms = self._life(_number(customer_id)).main_at_ms
        first, end = np.searchsorted(main_at_ms, (at_s * 1000, (at_s + horizon_s) * 1000))
        return bool(first == end)

    def leaving_ratio(self, at_s: float, horizon_s: float) -> float:
        """Share of customers without a main event in [at, at + horizon): what blind guessing would hit.

        Parameters
        ----------
        at_s
            Event time, epoch seconds.
        horizon_s
            How long to look ahead, in seconds.

        Returns
        -------
        float
            Among customers whose last main event before `at_s` is at most two horizons old; NaN without any.
        """
        at_ms, horizon_ms = at_s * 1000, horizon_s * 1000
        asked = left = 0
        for number in itertools.count():
            main_at_ms = self._life(number).main_at_ms
            if main_at_ms[0] >= at_ms:
                break
            recent, before, after = np.searchsorted(main_at_ms, (at_ms - 2 * horizon_ms, at_ms, at_ms + horizon_ms))
            asked += int(before > recent)
            left += int(before > recent and before == after)
        return left / asked if asked else float("nan")

    def _draw_life(self, number: int) -> Life:
        rng = np.random.default_rng((self.seed, number))
        place = (number + rng.random()) / self.customers
        return live(rng, self._weather.joins(place), self._weather)


def campaign_id(event: Event) -> str:
    """Name the campaign that an open belongs to; it is the end of the event id.

    Parameters
    ----------
    event
        An event of the e-mail channel, made by `Shop`.

    Returns
    -------
    str
        One name per weekly campaign.

    Examples
    --------
    >>> campaign_id(Event("c0000007", "c0000007-weekly2857", Channel.EMAIL_OPEN, 1_728_000_000_000))
    'weekly2857'
    """
    return event.event_id.rpartition("-")[2]


def _event(who: str, place: int, at_ms: int, life: Life) -> Event:
    channel = life.channel.item(place)
    amount = life.amount.item(place)
    if channel == Channel.EMAIL_OPEN:
        machine = life.machine.item(place)
        return Event(who, f"{who}-weekly{amount:.0f}", Channel.EMAIL_OPEN, at_ms, engaged=not machine)
    return Event(who, f"{who}-{place}", _CHANNELS[channel], at_ms, amount)


def _customer_id(number: int) -> str:
    return f"{_PREFIX}{number:07d}"


def _number(customer_id: str) -> int:
    digits = customer_id.removeprefix(_PREFIX)
    if digits == customer_id or not digits.isdecimal():
        raise KeyError(f"no customer {customer_id!r} in this shop")
    return int(digits)
