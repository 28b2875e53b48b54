"""Who may do what on the brokers: the rights of each role, derived from the topic table.

Nothing is given beyond what a role needs: on a broker that denies what is not allowed, a shop's producer cannot read
alerts and a worker cannot write orders. Reading and writing a topic includes knowing of it (Describe).
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from streams.cluster import Cluster, ForbiddenError
from streams.settings import Settings
from streams.topics import DEAD_LETTERS, Topic, in_use

Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]
PROVISIONER = "provisioner"
ROLES: Mapping[str, str] = {
    "producers": "the shop's systems that send events; yocho produce, yocho simulate",
    "worker": "yocho worker, which also learns where YOCHO_TRAINER=worker",
    "trainer": "yocho trainer, where YOCHO_TRAINER=apart",
    "people": "retention teams: yocho alerts, upcoming, ack, snooze",
    "mailers": "systems that act on alerts",
    "operators": "who runs it: what people may, yocho dead-letters, yocho erase --verify",
    PROVISIONER: "yocho topics create, check and describe",
}
"""What each role is for."""
PROVISIONING: tuple[Operation, ...] = ("Create", "Describe", "DescribeConfigs")


class RoleError(ValueError):
    """Somebody named a role that does not exist."""


@dataclass(frozen=True, order=True)
class Right:
    """One role may do one thing with one topic or group of that name."""

    role: str
    resource: Literal["group", "topic"]
    name: str
    operation: Operation


def rights(settings: Settings) -> list[Right]:
    """Return every right a deployment needs, by role.

    Examples
    --------
    >>> [(r.name, r.operation) for r in rights(Settings()) if r.role == "mailers"]
    [('churn-alerts', 'Read')]
    """
    found = [Right("worker", "group", settings.group, "Read")]
    if _learns(settings, "apart"):
        found.append(Right("trainer", "group", settings.trainer_group, "Read"))
    for topic in in_use(settings):
        name = topic.topic(settings)
        found += [Right(PROVISIONER, "topic", name, operation) for operation in PROVISIONING]
        if topic is DEAD_LETTERS:
            found.append(Right("operators", "topic", name, "Write"))  # receipts of what was sent once more
        if topic.config:
            found.append(Right("operators", "topic", name, "DescribeConfigs"))  # how long an erased id stays
        for role, parts in _parts(settings).items():
            found += [Right(role, "topic", name, operation) for operation in _operations(topic, parts)]
    order = list(ROLES)
    return sorted(found, key=lambda right: (order.index(right.role), right))


def script(settings: Settings, users: Mapping[str, str], config: str) -> Iterator[str]:
    """Yield a shell script that gives these rights with Kafka's `kafka-acls.sh`, line by line.

    Parameters
    ----------
    settings
        Brokers, topic names and group.
    users
        Who has a role, as brokers name it: ``User:CN=churn-1``; absent = `default_user`.
    config
        File with which the tool logs in (``--command-config``).

    Raises
    ------
    RoleError
        There is no such role.
    """
    if unknown := set(users) - set(ROLES):
        raise RoleError(f"no role is called {', '.join(sorted(unknown))}: there are {', '.join(ROLES)}")
    tool = ["kafka-acls.sh", "--bootstrap-server", settings.bootstrap, "--command-config", config, "--add"]
    for role, given in groupby(rights(settings), key=lambda right: right.role):
        yield f"# {role}: {ROLES[role]}"
        for (resource, name), same in groupby(given, key=lambda right: (right.resource, right.name)):
            operations = [word for right in same for word in ("--operation", right.operation)]
            user = users.get(role, default_user(role))
            yield shlex.join([*tool, "--allow-principal", user, *operations, f"--{resource}", name])


def default_user(role: str) -> str:
    """Return who has a role unless somebody says otherwise."""
    return f"User:yocho-{role}"


def require_role(cluster: Cluster, settings: Settings, role: str) -> None:
    """Refuse to begin without a right that would be missed in the middle of the work.

    Raises
    ------
    ForbiddenError
        Names what is lacking.
    """
    if cluster.is_embedded:
        return
    needed = [right for right in rights(settings) if right.role == role]
    have = cluster.allowed(right.name for right in needed if right.resource == "topic")

    def is_lacking(right: Right) -> bool:
        if right.resource == "group":
            return not cluster.may_join(right.name)
        return right.name in have and right.operation.upper() not in have[right.name]  # else it does not exist

    lacking = [f"{right.operation} {right.resource} {right.name}" for right in needed if is_lacking(right)]
    if lacking:
        raise ForbiddenError(f"no right to {', '.join(lacking)}; yocho topics acls tells who needs which")


def _parts(settings: Settings) -> dict[str, tuple[str, ...]]:
    """What the topic table calls each role; some play more than one part."""
    return {
        "producers": ("producers",),
        "worker": ("worker", "trainer") if _learns(settings, "worker") else ("worker",),
        "trainer": ("trainer",) if _learns(settings, "apart") else (),
        "people": ("people",),
        "mailers": ("mailers",),
        "operators": ("operators", "people", "producers"),
    }


def _learns(settings: Settings, trainer: str) -> bool:
    return settings.learn == "on" and settings.trainer == trainer


def _operations(topic: Topic, parts: Sequence[str]) -> list[Operation]:
    reads = not set(parts).isdisjoint(topic.readers)
    operations: list[Operation] = ["Read"] if reads else []
    return [*operations, "Write"] if topic.writer in parts else operations
