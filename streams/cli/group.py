"""The group `yocho` and how its commands fail: imported when called, and never a traceback for a user's mistake."""

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any, NamedTuple, NoReturn

import click

HELP = """Yochō (予兆): reads what customers do from Kafka and publishes an alert when one starts to slip away.

Configuration comes from YOCHO_* variables; YOCHO_BROKERS says where Kafka is. Each command has --help with an example.
"""
EPILOG = "Example: yocho demo"

AGAIN_S = 3.0
"""After a signal to end, until what it raised counts as lost; a container is given ten seconds."""


class LazyCommand(NamedTuple):
    """Where a command is, as ``module:attribute``, and its line in the overview."""

    target: str
    summary: str


class LazyGroup(click.Group):
    """A group that imports a command when it is called.

    Parameters
    ----------
    name
        The program's name.
    lazy
        Commands by name, in the order of the overview.
    """

    def __init__(self, name: str, lazy: Mapping[str, LazyCommand]) -> None:
        super().__init__(name, help=HELP, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the overview."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name].target.partition(":")
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(f"{cmd_name} is not installed: no module {error.name}") from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self._lazy.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and end the process: 0 well, 1 failed, 2 called wrongly, 130 interrupted, 143 told to end."""
        signal.signal(signal.SIGTERM, _end)
        try:
            code = super().main(*args, **kwargs | {"standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.ClickException as error:
            click.echo(f"{_who(error)}: {_one_line(error.format_message())}{_hint(error)}", err=True)
            code = error.exit_code
        except click.Abort:
            click.echo(f"{self.name}: interrupted", err=True)
            code = 130
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; expected failures become one line."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # The reader of our output (`| head`) has enough; Python would complain once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except Exception as error:
            if is_expected(error):
                raise click.ClickException(str(error)) from error
            raise


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as SIGTERM ends a process, also as process 1 of a container, which the signal alone does not end.

    What a handler raises is lost where C code clears it: NumPy does, when it asks a member of an enum what it can do as
    an array. So it is raised again, later than an orderly end takes.
    """
    signal.signal(signal.SIGALRM, lambda _, frame: _end(number, frame))
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S)
    sys.exit(128 + number)


def is_expected(error: Exception) -> bool:
    """Tell whether a failure is something a person at the terminal can act on: files, settings, brokers, input.

    Our own exceptions for such cases are ValueErrors, ConnectionErrors and RuntimeErrors of ours; only the class's home
    tells them from a bug's. kafka-python's are named here because commands use it directly.
    """
    if isinstance(error, OSError):
        return True
    home, _, _ = type(error).__module__.partition(".")
    return home in {"streams", "models", "kafka"} and type(error).__name__.endswith("Error")


def _who(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context is not None else "yocho"


def _hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    if not isinstance(error, click.UsageError) or context is None:
        return ""
    return f" (see {context.command_path} --help)"


def _one_line(text: str) -> str:
    return " ".join(text.split())
