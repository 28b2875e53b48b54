"""What people said about customers, done: commands on the first line, beside the events of the same round."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.apply import Outcome
from models.commands import Command, CommandKind
from models.decisions import Decision
from models.state import Rows
from models.watch import Watch
from streams.batch import Batch
from streams.engine.partition import PartitionRows
from streams.engine.texts import Slots


@dataclass(frozen=True)
class Answers:
    """What came of the commands of a round.

    Parameters
    ----------
    nobody
        Commands about customers who had not done anything yet, as places in the round; their rows know nothing of it.
    places
        The other commands, as places in the batch, shape (m,).
    rows
        Rows of their customers afterwards, shape (m,).
    decisions
        The answers, which count in `rows`.
    """

    nobody: Slots
    places: Slots
    rows: Rows
    decisions: list[Decision]


def answer(watch: Watch, batch: Batch, index: Slots, rows: Rows, outcomes: NDArray[np.uint8]) -> Answers:
    """Do what was said about the customers of a round, as of when its turn came if that is later.

    The row of a nobody is as good as new; if it has just been founded, `drop_nobodies` takes it away.

    Parameters
    ----------
    watch
        Rules and model in effect.
    batch, index
        Where the commands are, and the places of the round in it, shape (n,).
    rows
        Rows of the round, shape (n,); changed in place.
    outcomes
        What became of the round's events, shape (n,), changed in place: a command that meant nothing is in vain.
    """
    which = np.flatnonzero(outcomes == Outcome.COMMANDED)
    sent_at = np.where(rows["sends_long"][which] > 0, rows["sends_at"][which], 0)
    since = np.where(rows["first_at"][which] > 0, rows["first_at"][which], sent_at)
    # by the time of what was said, so that it is as true when the command is delivered again
    is_nobody = (since == 0) | (batch.columns.at_s[index[which]] < since)
    nobody, which = which[is_nobody], which[~is_nobody]
    places, sub = index[which], rows[which]
    if not which.size:
        return Answers(nobody, places, sub, [])
    events = [batch.commands[place].event for place in places.tolist()]
    commands = [event for event in events if isinstance(event, Command)]
    at_s = np.maximum(batch.columns.at_s[places].astype(np.int64), batch.turn_s[places])
    decisions = watch.on_commands(sub, at_s, commands)
    rows[which] = sub
    answered = {decision.index for decision in decisions}
    vain = [i for i, c in enumerate(commands) if c.kind == CommandKind.ACK and i not in answered]
    outcomes[which[vain]] = Outcome.IN_VAIN
    return Answers(nobody, places, sub, decisions)


def drop_nobodies(partition: PartitionRows, batch: Batch) -> None:
    """Take away the rows that were founded for commands about nobody, when all of their batch is done."""
    if batch.commands:
        slots = np.unique(batch.slots)
        rows = partition.rows[slots]
        partition.delete(slots[(rows["first_at"] == 0) & (rows["sends_at"] == 0)])
