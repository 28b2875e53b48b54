"""A fixed port in front of the embedded broker, which itself listens where the system lets it.

Kafka clients use a bootstrap address once: what it answers names the broker's own port, and they go there. So only the
first few packets of a client pass through here.
"""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
_CHUNK_BYTES = 64 * 1024


class Forwarder:
    """Passes connections on from a port of ours, in a thread of its own; use as a context manager.

    Parameters
    ----------
    port
        Where to listen on loopback; 0 takes a free port, see `port`.
    target
        ``host:port`` to connect to.

    Raises
    ------
    OSError
        The port is in use or not ours to take.
    """

    def __init__(self, port: int, target: str) -> None:
        host, _, number = target.rpartition(":")
        self._target = host, int(number)
        self._loop = asyncio.new_event_loop()
        try:
            self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, port))
        except OSError:
            self._loop.close()
            raise
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="yocho-forward", daemon=True)
        self._thread.start()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # either side may hang up at any time; the other is told by close
            there_reader, there_writer = await asyncio.open_connection(*self._target)
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
        writer.close()

    def close(self) -> None:
        """Stop listening and drop what is connected."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
