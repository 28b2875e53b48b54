"""Programs of others that serve HTTP, in a process of their own on loopback, with their files in a temporary folder."""

import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pytest
import yaml

from tests.apache_kafka.node import free_ports
from tests.end_to_end.cluster import wait_until


class LoopbackServer:
    """One of Prometheus' family, whose programs are told alike where they listen and what they do.

    Parameters
    ----------
    programs
        Names it may have here; the test is skipped where none is.
    settings
        What its configuration file says.
    arguments
        More of its command line; ``{data}`` is a folder for its data.
    """

    READY_S = 30.0

    def __init__(self, programs: Sequence[str], settings: Mapping[str, Any], arguments: Sequence[str]) -> None:
        program = next(filter(None, map(shutil.which, programs)), None)
        if program is None:
            pytest.skip(f"{programs[-1]} is not here: on Debian install {programs[0]}")
        [self.port] = free_ports(1)
        self._folder = tempfile.TemporaryDirectory(prefix=f"yocho-{programs[-1]}-")
        folder = Path(self._folder.name)
        (folder / "settings.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [program, f"--config.file={folder / 'settings.yml'}", f"--web.listen-address=127.0.0.1:{self.port}",
                 *(argument.format(data=folder / "data") for argument in arguments)],
                stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.port}"

    def wait_ready(self) -> None:
        """Wait until it answers, and has what it needs."""
        wait_until(self._is_ready, self.READY_S, lambda: self._log.read_text(errors="replace"))

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/-/ready", timeout=5):
                return True
        except OSError:  # nobody listens yet, or it is not ready
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._folder.cleanup()
