"""What people said about customers, done: commands on the first line, beside the events of the same round."""

import numpy as np
from numpy.typing import NDArray

from models.apply import Outcome
from models.commands import CommandKind
from models.decisions import Decision
from models.state import Rows
from models.watch import Watch
from streams.admission import Batch, Slots


def answer(
    watch: Watch, batch: Batch, index: Slots, rows: Rows, outcomes: NDArray[np.uint8]
) -> tuple[Slots, Rows, list[Decision]] | None:
    """Do what was said about the customers of a round, as of when its turn came if that is later.

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

    Returns
    -------
    tuple or None
        Places of the commands in the batch, shape (m,), the rows after them, and the answers; None without commands.
    """
    which = np.flatnonzero(outcomes == Outcome.COMMANDED)
    if not which.size:
        return None
    places = index[which]
    commands = [batch.commands[place] for place in places.tolist()]
    at_s = np.maximum(batch.columns.at_s[places].astype(np.int64), batch.turn_s[places])
    sub = rows[which]
    decisions = watch.on_commands(sub, at_s, commands)
    rows[which] = sub
    answered = {decision.index for decision in decisions}
    vain = [i for i, c in enumerate(commands) if c.kind == CommandKind.ACK and i not in answered]
    outcomes[which[vain]] = Outcome.IN_VAIN
    return places, sub, decisions
