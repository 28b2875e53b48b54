"""A progress bar on stderr that goes away when the work fails, so that the one line about the failure stands alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Show = Callable[[int, int, str], None]
"""Told how much is done, of how much, and in words."""


@contextmanager
def bar(beginning: str) -> Iterator[Show]:
    """Show a bar while the block runs.

    Parameters
    ----------
    beginning
        What is happening before the first call of what is yielded.
    """
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(beginning, total=None)

        def show(done: int, total: int, text: str) -> None:
            progress.update(task, completed=done, total=total, description=text)

        try:
            yield show
        except BaseException:
            progress.update(task, visible=False)
            raise
