"""What customers buy, as small sketches: which categories ever, and which lately.

Serves per-customer state, the third word of the line from event to alert. A category is one of 32 bits, by hash;
two categories may share a bit, so a sketch counts at most 32 and never too many. "Lately" is two generations of
orders, as log files are rotated: bits are set in ``cats_now``, and now and then ``cats_now`` becomes
``cats_before``, whose bits are gone after that. The generation turns with every `GENERATION`-th order, if that
order tells categories; together the two hold the last four to eight orders of a customer whose orders all do. Of
a shop that tells categories now and then, a generation lasts longer, so that a customer does not seem to have
dropped everything.

A late order counts as it arrives: in ``cats_ever`` its time does not matter, and what was bought a week ago has
not been dropped.
"""

from collections.abc import Iterable

import numpy as np
import xxhash
from numpy.typing import NDArray

from models.events import Channel
from models.state import Rows

BITS = 32  # of a <u4
GENERATION = 4  # orders; two generations are a year of an ordinary shop customer


def category_mask(categories: Iterable[str]) -> int:
    """Sketch a set of categories.

    Parameters
    ----------
    categories
        Names as the shop spells them, compared by their UTF-8 bytes.

    Returns
    -------
    int
        One bit per category, in [0, 2^32); 0 = none known. The same in every process.

    Examples
    --------
    >>> category_mask(["tea", "coffee"]) == category_mask(["tea"]) | category_mask(["coffee"])
    True
    >>> category_mask([])
    0
    """
    mask = 0
    for category in categories:
        mask |= 1 << (xxhash.xxh3_64_intdigest(category) % BITS)
    return mask


def note_categories(rows: Rows, which: NDArray[np.intp], masks: NDArray[np.uint32]) -> None:
    """Take the categories of orders into the sketches.

    Parameters
    ----------
    rows
        All rows, changed in place, orders already counted.
    which
        Indices of the rows that got an order, shape (m,), each at most once.
    masks
        What `category_mask` gave for each, shape (m,); an order with 0 changes nothing.
    """
    known = np.flatnonzero(masks)
    if not known.size:
        return
    which, masks = which[known], masks[known]
    now = rows["cats_now"][which]
    turns = rows["count"][which, Channel.ORDER] % GENERATION == 1
    rows["cats_ever"][which] |= masks
    rows["cats_before"][which] = np.where(turns, now, rows["cats_before"][which])
    rows["cats_now"][which] = np.where(turns, masks, now | masks)


def breadth(rows: Rows) -> NDArray[np.uint8]:
    """Count the categories a customer ever bought, shape (n,), 0 to 32; 0 where none are known.

    Examples
    --------
    >>> from models.state import new_rows
    >>> rows = new_rows(1)
    >>> rows["cats_ever"], rows["cats_now"] = 0b1110, 0b0010
    >>> breadth(rows).tolist(), dropped(rows).tolist()
    ([3], [2])
    """
    ever: NDArray[np.uint32] = rows["cats_ever"]
    return np.bitwise_count(ever)


def dropped(rows: Rows) -> NDArray[np.uint8]:
    """Count the categories a customer bought once and not lately, shape (n,), 0 to `breadth`."""
    gone: NDArray[np.uint32] = rows["cats_ever"] & ~(rows["cats_now"] | rows["cats_before"])
    return np.bitwise_count(gone)
