"""`yocho topics`: make the topics a deployment needs, check them, show them."""

import os

import click
from rich.console import Console
from rich.table import Table

from streams.acls import script
from streams.cli.types import ROLE_USER
from streams.cluster import Cluster
from streams.durations import duration_text
from streams.provision import Found, check, create, describe
from streams.settings import Settings
from streams.topics import TOPICS, InputTopic, Topic


@click.group(epilog="Example: YOCHO_PARTITIONS=12 YOCHO_REPLICATION=3 yocho topics create")
def command() -> None:
    """Create, check and describe the topics; their table is in the code, counts and names come from YOCHO_*."""


@command.command("create", epilog="Example: YOCHO_BROKERS=kafka-1:9092 yocho topics create")
def create_command() -> None:
    """Create the topics that are missing; what exists stays as it is, and differences are told."""
    settings = Settings.from_env(os.environ)
    cluster = Cluster.reach(settings)
    made = create(cluster, settings)
    for name in made:
        click.echo(f"created {name}")
    _report(cluster, settings, f"{len(made)} created, all as they should be")


@command.command("check", epilog="Example: yocho topics check && yocho worker")
def check_command() -> None:
    """Compare the topics with what they should be; exit code 1 when something differs."""
    settings = Settings.from_env(os.environ)
    _report(Cluster.reach(settings), settings, "all topics are as they should be")


@command.command("describe", epilog="Example: yocho topics describe")
def describe_command() -> None:
    """Show every topic: what it holds, who writes it, and how it is on the brokers."""
    settings = Settings.from_env(os.environ)
    cluster = Cluster.reach(settings)
    found = describe(cluster, settings)
    table = Table(box=None, pad_edge=False)
    for column in ("topic", "partitions", "kept", "key", "written by", "what"):
        table.add_column(column, overflow="fold")
    for topic in TOPICS:
        name = topic.topic(settings)
        table.add_row(
            name,
            _partitions(topic, settings, found.get(name)),
            _kept(topic),
            topic.record_key,
            topic.writer,
            topic.what,
        )
    Console(width=None if Console().is_terminal else 200).print(table)
    if cluster.is_embedded:
        click.echo("embedded broker: nothing is compacted, and each partition keeps its last 5 MiB")


@command.command("acls", epilog="Example: yocho topics acls --user worker=User:CN=churn-1 > acls.sh")
@click.option("--user", "users", type=ROLE_USER, multiple=True, help="Who has a role; else User:yocho-ROLE.")
@click.option("--config", default="admin.properties", show_default=True, help="File kafka-acls logs in with.")
def acls_command(users: tuple[tuple[str, str], ...], config: str) -> None:
    """Print kafka-acls commands that allow each role what the table of topics says; no broker is asked."""
    for line in script(Settings.from_env(os.environ), dict(users), config):
        click.echo(line)


def _report(cluster: Cluster, settings: Settings, well: str) -> None:
    differences = check(cluster, settings)
    for line in differences:
        click.echo(line)
    if differences:
        hint = "; the embedded broker takes its counts when it starts: yocho broker" if cluster.is_embedded else ""
        raise click.ClickException(f"{len(differences)} differences from what the topics should be{hint}")
    click.echo(well)


def _partitions(topic: Topic, settings: Settings, found: Found | None) -> str:
    if isinstance(topic, InputTopic) and not topic.is_enabled(settings):
        return "off"
    return "missing" if found is None else str(found.partitions)


def _kept(topic: Topic) -> str:
    if topic.kept == "delete":
        return duration_text(int(topic.config["retention.ms"]) // 1000)
    return "compact" if topic.kept == "compact" else "as its producer decides"
