"""Half precision, as a row keeps features and log-odds of its pending example: 11 bits, up to 65,504.

Serves per-customer state and whoever reads or checks what it kept.
"""

import numpy as np
from numpy.typing import NDArray

LARGEST = 65_504.0
"""The largest number that can be kept."""


def half(values: NDArray[np.floating]) -> NDArray[np.float16]:
    """Round numbers to half precision; beyond its range they become its largest, NaN stays NaN.

    Examples
    --------
    >>> half(np.array([0.1, -1e9])).tolist()
    [0.0999755859375, -65504.0]
    """
    kept: NDArray[np.float16] = np.clip(values, -LARGEST, LARGEST).astype(np.float16)
    return kept
