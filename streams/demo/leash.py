"""Runs a `yocho` command that ends when whoever started it does, even if that was killed.

The starter holds the other end of this process's standard input. When that closes, because the starter closed it or
is gone, the process ends itself the way a service manager would end it. Without this, a demo killed with SIGKILL
would leave a worker behind that looks for its broker for ever.
"""

import os
import signal
import threading
import time

from streams.cli import main

STDIN = 0
GRACE_S = 3.0
"""A worker whose broker went with its starter would try to commit for much longer."""


def _end_with_starter() -> None:
    # Not sys.stdin: a thread that waits in there holds its lock, and Python cannot end in order.
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_starter, name="yocho-leash", daemon=True).start()
    main()
