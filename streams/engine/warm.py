"""Copies of the changelog on disk, so that a worker that restarts reads what is new and not everything.

Beside the line from event to alert: state is in Kafka, and a worker without a copy, or with one that is no good, reads
the changelog from its beginning as ever. So a copy may be dropped at any time and must never be wrong:

- **Behind, never ahead.** What a commit wrote is copied once the brokers have acknowledged it, with its offset. A crash
  in between leaves a copy that is a few records older.
- **Exact or still.** A copy takes records only where they join on to its offset without a gap. In a gap are records of
  others: a tombstone of an erasure, an owner we knew nothing of. Then the copy stays as it is, exact for an older
  offset, and the next start reads on from there. Epochs count in a copy as they do at recovery.
- **Of this log.** It names cluster, topic and topic id, and must lie within the log: one that ends beyond its end, or
  before its beginning, was made of records that are no more.
- **Not too old.** Compaction drops tombstones after ``delete.retention.ms``; a copy from before would bring a deleted
  customer back (KIP-1259 gives Kafka Streams the same rule). After `KEPT_S` it is dropped, and copies of partitions
  that went elsewhere are deleted then, so nothing of an erased customer stays on the disk for longer.
- **One worker, one folder**, by a lock on it that ends with the process.

Whatever goes wrong with a copy (damage, a full disk, another format) it is deleted with one line in the log, and the
worker goes on without it.
"""

import asyncio
import fcntl
import shutil
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from streams.engine.partition import PartitionRows
from streams.engine.warm_store import Head, LogName, WarmStore
from streams.logs import get_logger

log = get_logger(__name__)

KEPT_S = 86_400
"""A day: far within the ``delete.retention.ms`` of a week that `streams.topics` asks of the changelog."""

CLOCK_STEP_S = 60
"""How far this machine's clock may have been put back since."""

_LOCKED = ("IO error: While lock file", "IO error: lock hold")
"""RocksDB's word for a copy that a process has open: where the folder's lock does not reach, on a network disk say."""

SCRUB_EVERY_S, SWEEP_EVERY_S = 600, 3_600
"""Rewriting the files of a partition for each deletion would cost more than the copy saves."""


class StateFolderError(RuntimeError):
    """The folder for copies cannot be used."""


class WarmCopies:
    """The copies of this worker, one `WarmStore` for each partition it owns.

    Parameters
    ----------
    folder
        Of this group's changelog, on this machine; made if it is not there.
    name_log
        Asks the brokers what the changelog is; raises OSError when they do not answer.
    now_s
        Wall clock, epoch seconds.

    Raises
    ------
    StateFolderError
        Another worker uses the folder, or it cannot be written to.
    """

    def __init__(self, folder: Path, name_log: Callable[[], LogName], now_s: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._name_log = name_log
        self._now_s = now_s
        self._stores: dict[int, WarmStore] = {}
        self._scrubbed_at_s: dict[int, float] = {}
        self._swept_at_s = now_s()
        self._executor = ThreadPoolExecutor(1, "yocho-scrub")
        self._lock = _locked(folder)

    async def take_up(self, logs: Mapping[int, tuple[int, int]]) -> AsyncIterator[tuple[PartitionRows, int]]:
        """Open the copies of partitions, fresh ones where there is none or one that is no good.

        Parameters
        ----------
        logs
            First offset and end (exclusive) of the changelog, by partition number.

        Yields
        ------
        (PartitionRows, int)
            Rows, and the offset up to which they hold the changelog. Nothing for a fresh copy.
        """
        try:
            name = await asyncio.to_thread(self._name_log)
        except OSError as error:
            log.warning("which changelog this is cannot be learnt: it is read, and not copied", why=str(error))
            return
        self._sweep()
        for number, (begin, end) in sorted(logs.items()):
            rows = self._open(number, name, begin, end)
            if rows is not None and (offset := self._stores[number].head.offset) >= 0:
                log.info("state from disk", partition=number, customers=len(rows), offset=offset, end=end)
                yield rows, offset
            await asyncio.sleep(0)

    def follow(self, number: int, records: Sequence[Any], after: int, to: int, *, ours: bool) -> None:
        """Copy the records of a partition after one offset up to another; `ours` are the end of the log as we write."""
        store = self._stores.get(number)
        if store is None:
            return
        try:
            if store.follow(records, after, to, int(self._now_s()) if ours else None):
                self._tidy(number, store)
                return
        except Exception as error:  # rocksdict raises nothing more special
            self._give_up(number, _reason(error))
            return
        log.warning("others wrote to the changelog; its copy on disk stays where it was", partition=number)
        self._close(number)

    def keep_only(self, numbers: Collection[int]) -> None:
        """Close the copies of partitions that were lost; they stay on disk for a while, should these come back."""
        for number in [n for n in self._stores if n not in numbers]:
            self._close(number)

    def close(self) -> None:
        """Close everything, and let another worker have the folder."""
        self.keep_only(())
        self._executor.shutdown()
        self._lock.close()

    # -- inside

    def _open(self, number: int, name: LogName, begin: int, end: int) -> PartitionRows | None:
        """Open a copy and read it; a second time, afresh, if what is there is no good."""
        for _ in range(2):
            try:
                store = self._stores[number] = WarmStore(self._folder / str(number), name, number)
                why_not = _why_not(store.head, name, begin, end, self._now_s())
                if not why_not:
                    return store.load()
            except Exception as error:  # rocksdict raises nothing more special
                why_not = _reason(error)
            self._give_up(number, why_not)
        return None

    def _tidy(self, number: int, store: WarmStore) -> None:
        now_s = self._now_s()
        if store.head.has_remains and abs(now_s - self._scrubbed_at_s.get(number, 0.0)) > SCRUB_EVERY_S:
            self._scrubbed_at_s[number] = now_s
            store.scrub(self._executor)
        if abs(now_s - self._swept_at_s) > SWEEP_EVERY_S:
            self._sweep()

    def _sweep(self) -> None:
        """Delete copies of partitions that went elsewhere and have not come back."""
        self._swept_at_s = self._now_s()
        for folder in self._folder.iterdir():
            is_copy = folder.is_dir() and folder.name.isdecimal() and int(folder.name) not in self._stores
            if is_copy and self._swept_at_s - _used_at_s(folder) > KEPT_S:
                _delete(folder)

    def _give_up(self, number: int, why: str) -> None:
        log.warning("the copy on disk is dropped; the changelog has everything", partition=number, why=why)
        self._close(number)
        if not why.startswith(_LOCKED):
            _delete(self._folder / str(number))

    def _close(self, number: int) -> None:
        store = self._stores.pop(number, None)
        try:
            if store is not None:
                store.close()
        except Exception as error:  # rocksdict raises nothing more special
            log.warning("the copy on disk was not closed in order", partition=number, why=_reason(error))


def _why_not(head: Head, name: LogName, begin: int, end: int, now_s: float) -> str:
    """Tell why a copy is no copy of the log that is there; "" = it is one."""
    fresh = Head(head.log, head.partition)
    if head.version != fresh.version:
        return f"it has format {head.version}"
    if head.log != name:
        return "it is of another cluster or topic"
    if head.offset < 0:
        return ""
    if not begin - 1 <= head.offset < end:
        return f"it ends at offset {head.offset}, the changelog goes from {begin} to {end - 1}"
    if not -CLOCK_STEP_S <= now_s - head.at_s <= KEPT_S:
        return "it is too old" if head.at_s else "the changelog was never copied to its end"
    return ""


def _locked(folder: Path) -> Any:
    """Make the folder and hold its lock, until the file is closed or the process ends."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("ab")
    except OSError as error:
        raise StateFolderError(f"{folder} cannot be used for state: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise StateFolderError(f"another worker uses {folder}: each needs a YOCHO_STATE_DIR of its own") from None
    return lock


def _used_at_s(folder: Path) -> float:
    return max((file.stat().st_mtime for file in folder.iterdir()), default=0.0)


def _delete(folder: Path) -> None:
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        log.warning("a copy on disk cannot be deleted", folder=str(folder), why=error.strerror)


def _reason(error: Exception) -> str:
    """Say what RocksDB says, without what may follow: paths, and bytes of keys."""
    return ": ".join(str(error).split(": ")[:2])
