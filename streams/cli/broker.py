"""`yocho broker`: the embedded broker as a process of its own."""

import dataclasses
import os
import signal
import threading

import click

from streams.broker import EmbeddedBroker
from streams.forward import HOST, Forwarder
from streams.settings import Settings


@click.command(epilog="Example: yocho broker --port 9092 --partitions 4")
@click.option("--port", type=click.IntRange(0, 65_535), default=9092, show_default=True, help="0 takes a free port.")
@click.option("--partitions", type=click.IntRange(1, 1_000), help="Instead of YOCHO_PARTITIONS.")
def command(port: int, partitions: int | None) -> None:
    """Run a Kafka broker in this process until Ctrl-C, with all topics made: for trying out, nothing else.

    It is librdkafka's mock cluster. Nothing is on disk or compacted, each partition keeps its last 5 MiB, and memory is
    about that much a partition. Clients begin at the port given here and are led on to the broker's own.
    """
    settings = Settings.from_env(os.environ)
    if partitions is not None:
        settings = dataclasses.replace(settings, partitions=partitions)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with EmbeddedBroker.for_settings(settings) as broker, _forwarder(port, broker.bootstrap) as forwarder:
        click.echo(f"YOCHO_BROKERS={HOST}:{forwarder.port}")
        click.echo("embedded broker: Ctrl-C ends it and forgets everything", err=True)
        stop.wait()


def _forwarder(port: int, target: str) -> Forwarder:
    try:
        return Forwarder(port, target)
    except OSError as error:
        raise click.ClickException(f"port {port}: {os.strerror(error.errno or 0)}") from error
