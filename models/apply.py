"""What an event changes in a customer's row.

Third word of the line from event to alert. `apply_round` takes n rows and n events, one for each, and changes
the rows in place; a customer with several events in a batch gets them in several rounds. Every step is
elementwise, so what a row becomes does not depend on the rows beside it, nor on the size of the batch.

Late events (older than the newest one of their channel): counts, decayed counts and order means take them
with the weight they would have by now, first times move back, and the newest time stays. The rhythm and the
occasions are left alone, because both gaps that the late event splits are already forgotten into one number.

Rhythm: the mean and variance of the natural log of gaps, in the incremental weighted form of West [1]_, where
each new gap makes all former ones weigh `GAP_MEMORY` as much. A gap lies between two occasions, and an
occasion is a day (UTC) with events: purchase logs often hold only dates, and several orders on one date are
one visit, not a gap of zero. For the same reason a gap is at least one day, also when it only crosses
midnight.

E-mails: a click implies an open, which the pixel usually tells of itself. So a click does what an open does, it
ends the silence, makes the day an occasion and is a return where opens are the main event, but the decayed and
the lifetime count of opens leave it out, so that no e-mail is counted twice; clicks have a count of their own. A
send does nothing of this: `models.mailing`. What orders hold: `models.baskets`.

References
----------
.. [1] D. H. D. West (1979), Updating mean and variance estimates: an improved method, CACM 22(9).
"""

import enum
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baskets import note_categories
from models.decay import averaged, counted
from models.events import Channel, Source
from models.mailing import note_mail
from models.pending import schedule
from models.state import LONG_DAYS, N_RECENT, SHORT_DAYS, Rows
from models.target import DAY_S, Target

GAP_MEMORY = 0.9  # weight of the former gaps at each new one: 1 / (1 - 0.9) = 10 gaps are remembered
GAP_FLOOR_DAYS = 1.0
AMOUNT_SHORT_DAYS = 30.0
AMOUNT_LONG_DAYS = 360.0  # longer than for counts: a basket is seen only at an order, months apart
MAX_OCCASIONS = 65_535  # the largest <u2; a day each, that is 179 years

Cell = tuple[NDArray[np.intp], NDArray[np.uint8]]
Floats = NDArray[np.float64]
Seconds = NDArray[np.int64]


class Outcome(enum.IntEnum):
    """What became of an event."""

    APPLIED = 0
    REPLAYED = 1
    DUPLICATE = 2
    IGNORED = 3
    NOTED = 4
    COMMANDED = 5
    IN_VAIN = 6


@dataclass(frozen=True)
class Columns:
    """Events as columns, one element per row they apply to.

    Parameters
    ----------
    at_s
        Event time, epoch seconds, ``<u4``, > 0.
    channel
        `Channel` the customer engaged on, ``u1``; not read for an e-mail sent.
    source
        `Source` it came from, ``u1``.
    offset
        Offset in the source's partition, ``<i8``, >= 0.
    amount
        Order value, ``<f4``; NaN = unknown. Read on the channel ORDER only.
    id_hash
        Fingerprint of the event id, ``<u8``, unique across sources; 0 = no id, never a duplicate.
    engaged
        False for a machine's open or click.
    categories
        What was bought, as `models.baskets.category_mask` gives it, ``<u4``, 0 = not told. Read on the channel
        ORDER only. None: no event tells.
    """

    at_s: NDArray[np.uint32]
    channel: NDArray[np.uint8]
    source: NDArray[np.uint8]
    offset: NDArray[np.int64]
    amount: NDArray[np.float32]
    id_hash: NDArray[np.uint64]
    engaged: NDArray[np.bool_]
    categories: NDArray[np.uint32] | None = None

    def at(self, index: NDArray[np.intp]) -> "Columns":
        """Return the events at these indices, in their order."""
        columns = (getattr(self, field.name) for field in fields(self))
        picked: list[Any] = [column if column is None else column[index] for column in columns]
        return Columns(*picked)


def apply_round(rows: Rows, events: Columns, target: Target) -> NDArray[np.uint8]:
    """Apply one event to each row, in place; applying it a second time changes nothing.

    Parameters
    ----------
    rows
        Shape (n,), each another customer.
    events
        n events, the i-th for the i-th row.
    target
        Main channel and horizon: which events are occasions and returns.

    Returns
    -------
    ndarray
        `Outcome` codes, shape (n,), u1. REPLAYED: at or before the last applied offset of its source, nothing
        changed. DUPLICATE: its id is among the last `N_RECENT`, only the offset is remembered. IGNORED: not
        engaged, offset and id are remembered. NOTED: an e-mail was sent; it is counted, and the customer did
        nothing. COMMANDED: somebody said something, which is for the life cycle to answer (IN_VAIN, if it then turns
        out to change nothing, is never given here). APPLIED: the customer did something.

    Examples
    --------
    >>> from models.state import new_rows
    >>> order = Columns(*(np.array([v], d) for v, d in zip([86400, 0, 0, 7, 12.5, 99, True], "IBBqfQ?")))
    >>> rows, target = new_rows(1), Target(Channel.ORDER, 91 * DAY_S)
    >>> [Outcome(apply_round(rows, order, target)[0]).name for _ in range(2)]
    ['APPLIED', 'REPLAYED']
    >>> rows["count"][0].tolist(), rows["amount_sum"][0].tolist()
    ([1, 0, 0], 12.5)
    """
    outcomes = _recognise(rows, events)
    _remember(rows, events, outcomes)
    which = np.flatnonzero(outcomes == Outcome.APPLIED)
    if which.size:
        _engage(rows, which, events, target)
    _note_mail(rows, outcomes, events)
    _note_stranger(rows, outcomes, events)
    return outcomes


def _recognise(rows: Rows, events: Columns) -> NDArray[np.uint8]:
    each = np.arange(len(rows))
    replayed = events.offset <= rows["applied"][each, events.source]
    seen = (rows["recent_ids"] == events.id_hash[:, None]).any(axis=1) & (events.id_hash != 0)
    outcomes = np.where(events.engaged, np.uint8(Outcome.APPLIED), np.uint8(Outcome.IGNORED))
    outcomes[events.source == Source.EMAIL_SENDS] = Outcome.NOTED
    outcomes[events.source == Source.COMMANDS] = Outcome.COMMANDED
    outcomes[seen] = Outcome.DUPLICATE
    outcomes[replayed] = Outcome.REPLAYED
    return outcomes


def _remember(rows: Rows, events: Columns, outcomes: NDArray[np.uint8]) -> None:
    fresh = np.flatnonzero(outcomes != Outcome.REPLAYED)
    rows["applied"][fresh, events.source[fresh]] = events.offset[fresh]
    new = fresh[outcomes[fresh] != Outcome.DUPLICATE]
    slot = rows["recent_next"][new]
    rows["recent_ids"][new, slot] = events.id_hash[new]
    rows["recent_next"][new] = (slot + 1) % N_RECENT


def _engage(rows: Rows, which: NDArray[np.intp], events: Columns, target: Target) -> None:
    channel = events.channel[which]
    cell = (which, channel)
    at_s = events.at_s[which].astype(np.int64)
    last_at = rows["last_at"][cell].astype(np.int64)
    lag_days = (at_s - last_at) / DAY_S
    is_occasion = at_s // DAY_S > last_at // DAY_S  # the first event is one too: last_at is then 0

    counts = events.source[which] != Source.EMAIL_CLICKS
    for name, half_life_days in (("short", SHORT_DAYS), ("long", LONG_DAYS)):
        rows[name][cell] = counted(rows[name][cell].astype(np.float64), lag_days, half_life_days, counts)
    rows["count"][cell] += counts
    rows["last_at"][cell] = np.maximum(at_s, last_at)
    rows["first_at"][which] = _earlier(rows["first_at"][which], at_s)

    gap = np.flatnonzero(is_occasion & (last_at > 0))
    _note_gap(rows, (which[gap], channel[gap]), lag_days[gap])
    order = np.flatnonzero(channel == Channel.ORDER)
    _note_amount(rows, which[order], events.amount[which[order]].astype(np.float64), lag_days[order])
    if events.categories is not None:
        note_categories(rows, which[order], events.categories[which[order]])
    main = np.flatnonzero(channel == target.main)
    _note_main(rows, which[main], at_s[main], is_occasion[main], target)


def _note_mail(rows: Rows, outcomes: NDArray[np.uint8], events: Columns) -> None:
    sent = outcomes == Outcome.NOTED
    clicked = (events.source == Source.EMAIL_CLICKS) & (outcomes == Outcome.APPLIED)
    which = np.flatnonzero(sent | clicked)
    if which.size:
        note_mail(rows, which, events.at_s[which].astype(np.int64), sent=sent[which], clicked=clicked[which])


def _note_stranger(rows: Rows, outcomes: NDArray[np.uint8], events: Columns) -> None:
    """A machine opened an e-mail of somebody of whom nothing is known: then one was sent."""
    unknown = (rows["first_at"] == 0) & (rows["sends_at"] == 0)
    which = np.flatnonzero((outcomes == Outcome.IGNORED) & unknown)
    rows["sends_at"][which] = events.at_s[which]


def _note_gap(rows: Rows, cell: Cell, gap_days: Floats) -> None:
    log_gap = np.log(np.maximum(gap_days, GAP_FLOOR_DAYS))
    weight = rows["gap_weight"][cell] * GAP_MEMORY + 1.0
    mean = rows["gap_mean"][cell].astype(np.float64)
    distance = log_gap - mean
    mean += distance / weight
    rows["gap_weight"][cell] = weight
    rows["gap_mean"][cell] = mean
    rows["gap_m2"][cell] = rows["gap_m2"][cell] * GAP_MEMORY + distance * (log_gap - mean)


def _note_amount(rows: Rows, which: NDArray[np.intp], amount: Floats, lag_days: Floats) -> None:
    for name, half_life_days in (("amount_short", AMOUNT_SHORT_DAYS), ("amount_long", AMOUNT_LONG_DAYS)):
        mean, weight = rows[name][which].astype(np.float64), rows[f"{name}_weight"][which].astype(np.float64)
        mean, weight = averaged(mean, weight, amount, lag_days, half_life_days)
        rows[name][which], rows[f"{name}_weight"][which] = mean, weight
    rows["amount_sum"][which] += np.where(np.isnan(amount), 0.0, amount)


def _note_main(
    rows: Rows, which: NDArray[np.intp], at_s: Seconds, is_occasion: NDArray[np.bool_], target: Target
) -> None:
    rows["main_first_at"][which] = _earlier(rows["main_first_at"][which], at_s)
    occasions = rows["main_occasions"][which]
    rows["main_occasions"][which] = occasions + (is_occasion & (occasions < MAX_OCCASIONS))
    schedule(rows, which, at_s, target)


def _earlier(first_at: NDArray[np.uint32], at_s: Seconds) -> Seconds:
    return np.where((first_at == 0) | (at_s < first_at), at_s, first_at)
