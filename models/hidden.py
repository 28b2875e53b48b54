"""The hidden units of the curved expert, as a silence goes on: each is asked only for what silence moves in it.

Serves `models.outlook` on the first line. A unit bends the sum of three inputs (`models.experts.formulas`). One in five
has only features that stand still and never changes; the others keep the sum of their still inputs, and the moving ones
are put in when a moment is asked for. All of it is elementwise, and sums are folded in a fixed order, so that one
customer gets the same bits alone as among five hundred, and at one moment as among many.
"""

import functools
import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.events import Channel
from models.experts.formulas import N_HIDDEN, fold, hidden_units
from models.features import MOVING, STILL

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_BLOCK = 512  # scores at a time: the units' sums (200 KB) then stay in a core's cache


class Inputs(NamedTuple):
    """One input of each of the first k units of a plan.

    Parameters
    ----------
    features
        Moving ones as places among `MOVING`, still ones as places among all features, shape (k,).
    weights
        Shape (k, 1, 1) for moving ones, (k, 1) for still ones, and there 0 where the unit's input moves.
    """

    features: Indices
    weights: Floats


class Plan(NamedTuple):
    """Which hidden units move, and through which inputs.

    Parameters
    ----------
    moving, standing
        Units with a moving input, those with most of them first, and the other units.
    offsets
        Of all units, moving ones first, shape (`N_HIDDEN`, 1).
    still
        The three inputs of all units, as far as they stand still.
    inputs
        First moving input of the moving units, second one of those that have two, third one.
    """

    moving: Indices
    standing: Indices
    offsets: Floats
    still: tuple[Inputs, ...]
    inputs: tuple[Inputs, ...]


@functools.cache
def plan(main: Channel) -> Plan:
    """Sort the hidden units of a main channel."""
    units = hidden_units(main)
    moves = np.isin(units.inputs, MOVING)
    n_moving = moves.sum(axis=0)
    order = np.argsort(-n_moving, kind="stable")
    place = np.argsort(~moves, axis=0, kind="stable")  # of each unit's inputs: moving ones first
    features, weights = (np.take_along_axis(array, place, axis=0)[:, order] for array in (units.inputs, units.weights))
    counts = [int((n_moving > turn).sum()) for turn in range(n_moving.max())]
    inputs = (
        Inputs(np.searchsorted(MOVING, features[turn, :k]), weights[turn, :k, None, None].astype(np.float64))
        for turn, k in enumerate(counts)
    )
    still = (
        Inputs(features, np.where(np.isin(features, STILL), weights, 0.0)[:, None])
        for features, weights in zip(units.inputs[:, order], units.weights[:, order], strict=True)
    )
    return Plan(order[: counts[0]], order[counts[0] :], units.offsets[order, None], tuple(still), tuple(inputs))


def prepared(z: Floats, weights: Floats, main: Channel) -> tuple[Floats, Floats]:
    """Do what can be done before a moment is asked for.

    Parameters
    ----------
    z
        Standardised features, finite, shape (d, n); the moving ones do not count.
    weights
        Of the hidden units, shape (`N_HIDDEN`,).
    main
        Main channel.

    Returns
    -------
    tuple of ndarray
        Weighted sum of the standing units, shape (n,), and what the still features put into the moving ones, in
        the order of the plan, shape (k, n).
    """
    split = plan(main)
    inside = np.repeat(split.offsets, z.shape[1], axis=1)
    spare = np.empty_like(inside)
    for features, by in split.still:
        np.take(z, features, axis=0, out=spare, mode="clip")
        spare *= by
        inside += spare
    n_moving = len(split.moving)
    return _bent(inside[n_moving:], weights[split.standing, None], spare[n_moving:]), inside[:n_moving]


def scratch() -> Floats:
    """Return memory for `moving_sum`; anew for every call it would cost more than the arithmetic in it."""
    return np.empty(2 * N_HIDDEN * _BLOCK)


def moving_sum(inside: Floats, z: Floats, weights: Floats, main: Channel, memory: Floats) -> Floats:
    """Return the weighted sum of the moving units at many moments.

    Parameters
    ----------
    inside
        What the still features put in, shape (k, n).
    z
        Standardised moving features in the order of `MOVING`, shape (8, m, n).
    weights
        Of the hidden units, shape (`N_HIDDEN`,).
    main
        Main channel.
    memory
        From `scratch`, written over.

    Returns
    -------
    ndarray
        Log-odds, shape (m, n), m <= 512.
    """
    _, m, n = z.shape
    split = plan(main)
    weights = weights[split.moving, None, None]
    total = np.empty((m, n))
    width = _BLOCK // max(m, 1)
    for begin in range(0, n, width):
        columns = slice(begin, begin + width)
        still = inside[:, None, columns]
        shape = 2, len(inside), m, still.shape[2]
        sums, spare = memory[: math.prod(shape)].reshape(shape)
        _put_in(sums, spare, still, z[:, :, columns], split.inputs)
        total[:, columns] = _bent(sums, weights, spare)
    return total


def _put_in(sums: Floats, spare: Floats, still: Floats, z: Floats, inputs: Iterable[Inputs]) -> None:
    first, *more = inputs
    np.take(z, first.features, axis=0, out=spare, mode="clip")  # any other mode makes one more copy
    np.multiply(spare, first.weights, out=spare)
    np.add(spare, still, out=sums)
    for features, weights in more:
        part = spare[: len(features)]
        np.take(z, features, axis=0, out=part, mode="clip")
        part *= weights
        sums[: len(features)] += part


def _bent(sums: Floats, weights: Floats, spare: Floats) -> Floats:
    """Return the sum of ``weight * h / (1 + |h|)`` over units, the first axis; both arrays are written over."""
    if not len(sums):
        return np.zeros(sums.shape[1:])
    np.abs(sums, out=spare)
    spare += 1.0
    sums *= weights
    sums /= spare
    return fold(sums)
