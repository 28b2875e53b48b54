"""What a partition remembers beside its rows, part by part: plain values from a changelog, or the object made of them.

Beside per-customer state on the line from event to alert. A part is made when it is first asked for, and stays.
"""

from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


def remembered(memory: MutableMapping[str, Any], part: str, kind: type[T], make: Callable[[Any], T]) -> T:
    """Return a part of a partition's memory, made and kept there if it is not an object yet.

    Parameters
    ----------
    memory
        By the name of the part: an object whose `to_dict` gives plain values, or such values.
    part
        Which.
    kind
        What it is.
    make
        Makes it of the plain values; of None where nothing is remembered.

    Examples
    --------
    >>> memory = {"days": [3, 1]}
    >>> remembered(memory, "days", set, set), remembered(memory, "nights", set, lambda kept: set(kept or ()))
    ({1, 3}, set())
    >>> remembered(memory, "days", set, set) is memory["days"]
    True
    """
    known = memory.get(part)
    if not isinstance(known, kind):
        known = memory[part] = make(known)
    return known
