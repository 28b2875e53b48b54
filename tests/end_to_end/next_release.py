"""A worker of the release after this one, as far as can be foreseen: its rows have a field more and the next version.

It reads rows of this release, as every release reads the ones before, and writes its own, which this one cannot read.
"""

import os
import sys

from models import state

THIS, NEXT = bytes([state.ROW_VERSION]), bytes([state.ROW_VERSION + 1])
FIELD = b"\x2a\x00\x00\x00"

_to_bytes, _from_bytes = state.rows_to_bytes, state.rows_from_bytes


def rows_to_bytes(rows):
    return [NEXT + value[1:] + FIELD for value in _to_bytes(rows)]


def rows_from_bytes(values):
    return _from_bytes([_before(value) if value[:1] == NEXT else value for value in values])


def _before(value):
    assert value.endswith(FIELD)
    return THIS + value[1 : -len(FIELD)]


if __name__ == "__main__":
    state.rows_to_bytes, state.rows_from_bytes = rows_to_bytes, rows_from_bytes
    from streams.settings import Settings
    from streams.worker import run_worker

    sys.exit(run_worker(Settings.from_env(os.environ), "INFO"))
