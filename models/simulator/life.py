"""One customer's whole life in the shop, drawn at once: the path of latent states and every event.

A life is finite, as everybody is lost for good one day, so it fits in arrays. `models.simulator.shop` merges
lives into the stream.
"""

import enum
import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.events import Channel
from models.simulator import calendar
from models.simulator.calendar import DAY_MS, Days
from models.simulator.character import Character, draw_character
from models.simulator.stretch import Stretch
from models.simulator.weather import Weather

RESCUE_RATIO = 0.20
WIN_BACK_RATIO = 0.15
SETTLE_DAYS = 28.0
_MINUTE = 1 / 1440
_CHANNELS = np.array(Channel, np.uint8)


class State(enum.StrEnum):
    """What a customer is going through; only the simulator knows."""

    ACTIVE = "active"
    FADING = "fading"
    LOST = "lost"
    RETURNING = "returning"


Path = list[tuple[float, State]]

# Activity by state, as (main events, side events); a fading spell is cut into steps,
# each as active as its middle.
_LEVEL = {State.ACTIVE: (1.0, 1.0), State.RETURNING: (1.0, 1.0), State.LOST: (0.0, 0.0)}
_FADE_BEGINS = np.arange(8) / 8
_FADED = _FADE_BEGINS + 1 / 16
_FADE = np.column_stack((1 - 0.85 * _FADED, (1 - _FADED) ** 2))
_ONE_TIME_FADE = _FADE * (0.0, 1.0)  # one-time buyers start fading and come no more
_OPEN_LEVEL = {State.ACTIVE: 1.0, State.RETURNING: 1.0, State.FADING: 0.35, State.LOST: 0.03}


@dataclass(frozen=True)
class Life:
    """A customer's events in time order, and the states behind them.

    Parameters
    ----------
    at_ms
        Event times, epoch milliseconds, shape (n,), ascending.
    channel
        `Channel` values, shape (n,).
    amount
        Yen for orders, seconds for logins, campaign number for opens, shape (n,).
    machine
        Whether the pixel was fetched by a privacy proxy, shape (n,).
    state_at_ms
        When each state begins, shape (m,), ascending; the first is when the customer joined.
    states
        The states, of length m.
    main_at_ms
        Times of the main events, epoch milliseconds, ascending.
    """

    at_ms: NDArray[np.int64]
    channel: NDArray[np.uint8]
    amount: NDArray[np.float64]
    machine: NDArray[np.bool_]
    state_at_ms: NDArray[np.int64]
    states: tuple[State, ...]
    main_at_ms: NDArray[np.int64]


def live(rng: np.random.Generator, joined_days: float, weather: Weather) -> Life:
    """Draw a life.

    Parameters
    ----------
    rng
        The customer's own generator.
    joined_days
        Wall time of the first main event, in days since the epoch.
    weather
        The climate of the shop.

    Returns
    -------
    Life
        The same for the same state of `rng`.

    Examples
    --------
    >>> from models.simulator.climate import Climate
    >>> weather = Weather(Climate(), opened=20_000.0, opening_days=90.0)
    >>> life = live(np.random.default_rng(7), 20_000.0, weather)
    >>> int(life.channel[0]), int(life.at_ms[0]) // DAY_MS
    (0, 20000)
    >>> life.states[-1]
    <State.LOST: 'lost'>
    """
    who = draw_character(rng, weather.population)
    path = _draw_path(rng, who, float(calendar.to_shop(np.array(joined_days))), weather)
    state_at = calendar.to_wall(np.array([begin for begin, _ in path]))
    lost = np.array([state is State.LOST for _, state in path])

    when, done = _operational(path, weather.activity)
    main = calendar.to_wall(_main_times(rng, who, path, _Clock(when, done[:, 0], weather.activity)))
    apart = calendar.to_wall(_side_times(rng, who, _Clock(when, done[:, 1], weather.activity)))
    side = np.concatenate((_before(rng, main, weather.population.before_ratio), apart))
    side = side[(side >= state_at[0]) & ~lost[np.searchsorted(state_at, side, "right") - 1]]
    orders, logins = (main, side) if weather.main is Channel.ORDER else (side, main)
    campaign, opens = _opens(rng, who, path, state_at)

    at = np.concatenate((orders, logins, opens))
    channel = np.repeat(_CHANNELS, (orders.size, logins.size, opens.size))
    amount = np.concatenate((_amounts(rng, who, weather.prices(orders)), _seconds(rng, logins.size), campaign))
    ranked = np.argsort(at, kind="stable")
    return Life(
        at_ms=_ms(at[ranked]),
        channel=channel[ranked],
        amount=amount[ranked],
        machine=(channel[ranked] == Channel.EMAIL_OPEN) & who.proxied,
        state_at_ms=_ms(state_at),
        states=tuple(state for _, state in path),
        main_at_ms=_ms(main),
    )


def _draw_path(rng: np.random.Generator, who: Character, joined: float, weather: Weather) -> Path:
    """Walk through the states until lost for good; times in shop days."""
    path: Path = []
    at = joined
    if not who.one_time:
        path.append((at, State.ACTIVE))
        at = weather.leaves(rng, at, at + rng.exponential(who.life_days))
    while True:
        path.append((at, State.FADING))
        at += rng.gamma(3.0, 12.0)
        if rng.random() >= RESCUE_RATIO:
            path.append((at, State.LOST))
            if rng.random() >= WIN_BACK_RATIO:
                return path
            at += rng.lognormal(np.log(75.0), 0.5)
        path += [(at, State.RETURNING), (at + SETTLE_DAYS, State.ACTIVE)]
        at = weather.leaves(rng, at + SETTLE_DAYS, at + (SETTLE_DAYS + rng.exponential(who.life_days)))


def _operational(path: Path, activity: Stretch) -> tuple[Days, Days]:
    """Integrate activity along the path.

    Returns knots in days of the climate's activity, shape (m,), and the operational days for main and side events at
    each, (m, 2). What the climate does is in the first, what the state does in the second.
    """
    knots: list[Days] = []
    levels: list[Days] = []
    for place, ((begin, state), (end, _)) in enumerate(itertools.pairwise(path)):
        fading = state is State.FADING
        knots.append(begin + (end - begin) * _FADE_BEGINS if fading else np.array([begin]))
        levels.append((_FADE if place else _ONE_TIME_FADE) if fading else np.array([_LEVEL[state]]))
    when = activity.done(np.concatenate((*knots, [path[-1][0]])))
    done = np.zeros((when.size, 2))
    np.cumsum(np.diff(when)[:, None] * np.concatenate(levels), axis=0, out=done[1:])
    return when, done


class _Clock(NamedTuple):
    """Operational time of a life: what is `done` at the knots `when`, both of shape (m,)."""

    when: Days
    done: Days
    activity: Stretch

    def shop_days(self, spent: Days) -> Days:
        return self.activity.at(np.interp(spent, self.done, self.when))


def _main_times(rng: np.random.Generator, who: Character, path: Path, clock: _Clock) -> Days:
    """First main event, renewals in operational time, and one at each return."""
    first_and_returns = [path[0][0], *(begin for begin, state in path if state is State.RETURNING)]
    spent = _renewals(rng, clock.done[-1], who.gap_days, who.regularity)
    return np.sort(np.concatenate((first_and_returns, clock.shop_days(spent))))


def _side_times(rng: np.random.Generator, who: Character, clock: _Clock) -> Days:
    return clock.shop_days(_renewals(rng, clock.done[-1], who.side_gap_days, 1.0))


def _renewals(rng: np.random.Generator, total: float, gap: float, shape: float) -> Days:
    """Event times of a gamma renewal process in (0, total)."""
    times = np.zeros(1)
    while times[-1] < total:
        block = int((total - times[-1]) / gap * 1.2) + 8
        times = np.concatenate((times, times[-1] + np.cumsum(rng.gamma(shape, gap / shape, block))))
    return times[(times > 0) & (times < total)]


def _before(rng: np.random.Generator, main: Days, ratio: float) -> Days:
    """Side events 2 to 20 minutes before a share of the main ones."""
    return (main - rng.uniform(2, 20, main.size) * _MINUTE)[rng.random(main.size) < ratio]


def _opens(rng: np.random.Generator, who: Character, path: Path, state_at: Days) -> tuple[Days, Days]:
    """Campaign numbers and wall times of opens, until the list drops the customer."""
    numbers, sent = calendar.campaigns(state_at[0], state_at[-1] + rng.exponential(180.0))
    chance = np.full(sent.size, 0.8)
    delay = rng.exponential(25 * _MINUTE, sent.size)
    if not who.proxied:
        levels = np.array([_OPEN_LEVEL[state] for _, state in path])
        chance = who.open_ratio * levels[np.searchsorted(state_at, sent, "right") - 1]
        delay = np.minimum(rng.lognormal(np.log(3 / 24), 1.2, sent.size), 6.5)
    opened = rng.random(sent.size) < chance
    return numbers[opened], (sent + delay)[opened]


def _amounts(rng: np.random.Generator, who: Character, prices: Days) -> Days:
    return np.maximum(np.round(who.amount_level * prices * rng.lognormal(0.0, 0.4, prices.size)), 100.0)


def _seconds(rng: np.random.Generator, n: int) -> Days:
    return np.minimum(np.maximum(np.round(rng.lognormal(np.log(180.0), 0.9, n)), 5.0), 7200.0)


def _ms(days: Days) -> NDArray[np.int64]:
    return np.floor(days * DAY_MS).astype(np.int64)
