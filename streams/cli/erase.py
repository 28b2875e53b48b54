"""`yocho erase`: erase customers, and see what is left of them."""

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TextIO

import click
import orjson

from streams.checks import check_identifier
from streams.cli.types import BY, CUSTOMER, SAID_AT
from streams.command_sending import send_erasures
from streams.reasons import Reason, RejectedError
from streams.scrape import address, label_values
from streams.settings import Settings
from streams.topics import CHANGELOG, event_inputs
from streams.traces import Trace, Traces, traces_of


@click.command(epilog="Example: yocho erase c-1024 --by Sato")
@click.argument("customer", type=CUSTOMER, required=False)
@click.option("--file", "ids", type=click.File(encoding="utf-8"), help="Many: one id a line; - reads standard input.")
@click.option("--by", type=BY, help="Who has them erased, for people to read.")
@click.option("--verify", is_flag=True, help="Erase nobody, say what is left; exit code 1 while there is state.")
@click.option("--json", "as_json", is_flag=True, help="With --verify: one customer a line.")
@SAID_AT
@click.pass_context
def command(
    context: click.Context,
    *,
    customer: str | None,
    ids: TextIO | None,
    by: str | None,
    verify: bool,
    as_json: bool,
    issued_at_ms: int,
) -> None:
    """Erase CUSTOMER: their state is deleted, and what they did until now never counts again, nor in a replay.

    Tombstones follow in the changelog, alerts, outcomes, labels and commands. What those topics hold already goes with
    its retention, which --verify tells; erase the customer in the input topics too, they are their producers'. What the
    customer does from now on is that of somebody new.
    """
    if (customer is None) == (ids is None):
        raise click.UsageError("name a CUSTOMER or a --file of them", context)
    if verify == (by is not None):
        raise click.UsageError("--verify erases nobody: leave --by out" if verify else "--by must say who", context)
    settings = Settings.from_env(os.environ)
    who = _read(ids) if ids is not None else [customer or ""]
    if verify:
        context.exit(_verify(settings, who, as_json))
    topic = send_erasures(settings, who, issued_at_ms, by or "")
    whom = who[0] if ids is None else f"{len(who):,} customers"
    click.echo(f"{by} erases {whom}: sent to {topic}; yocho erase --verify tells what is left")


def _read(ids: Iterable[str]) -> list[str]:
    """Ids of a file, each once; no message shows one."""
    found: dict[str, None] = {}
    try:
        for number, line in enumerate(ids, 1):
            if text := line.strip("\r\n"):
                found[_checked(text, number)] = None
    except UnicodeDecodeError:
        raise click.BadParameter("is not UTF-8", param_hint="--file") from None
    if not found:
        raise click.BadParameter("holds no id", param_hint="--file")
    return list(found)


def _checked(text: str, number: int) -> str:
    try:
        return check_identifier(text, Reason.INVALID_CUSTOMER_ID)
    except RejectedError as error:
        raise click.BadParameter(f"line {number}: {error}", param_hint="--file") from None


def _verify(settings: Settings, who: Sequence[str], as_json: bool) -> int:
    """Print what is left of customers; 1 if it is more than what goes by itself."""
    labels = label_values(settings)
    found = traces_of(settings, who)
    for traces in found:
        is_shown = labels is not None and traces.customer_id in labels
        click.echo(_json(traces, is_shown) if as_json else "\n".join(_lines(traces, is_shown)))
    n_live = sum(traces.is_live for traces in found)
    if not as_json:
        inputs = ", ".join(topic.topic(settings) for topic in event_inputs(settings))
        asked = "nobody answers, not asked" if labels is None else "asked"
        click.echo(f"metrics: {address(settings)}, {asked}")
        click.echo(f"not read, they are their producers', erase there too: {inputs}")
        click.echo("times are by the brokers' retention; Kafka removes whole segments, so a quiet topic takes longer")
        click.echo(f"{n_live} of {len(found)} still have state" if n_live else "nothing is left in state")
    return 1 if n_live or (labels is not None and not labels.isdisjoint(who)) else 0


def _lines(traces: Traces, is_shown: bool) -> list[str]:
    return [
        traces.customer_id,
        f"  state: {_state(traces)}",
        *(f"  {trace.topic}: {_left(trace, key)}" for key, trace in traces.traces.items()),
        *(["  metrics: named in a label"] if is_shown else []),
    ]


def _state(traces: Traces) -> str:
    if not traces.erased_at_s:
        return "there, and no worker has erased it yet" if traces.is_live else "nothing, and no erasure is known of"
    until = f"erased up to {_moment(traces.erased_at_s)}"
    return f"there again, from events after that: {until}" if traces.is_live else f"nothing, {until}"


def _left(trace: Trace, key: str) -> str:
    if not trace.records:
        return "nothing"
    what = "waiting for compaction" if key == CHANGELOG.key else "named"
    until = "" if trace.until_s is None else f", until {_moment(trace.until_s)}"
    return f"{trace.records:,} record{'s' * (trace.records > 1)} {what}{until}"


def _json(traces: Traces, is_shown: bool) -> str:
    return orjson.dumps(
        {
            "customer_id": traces.customer_id,
            "is_live": traces.is_live,
            "erased_at": _iso(traces.erased_at_s),
            "in_metrics": is_shown,
            "traces": [
                {"topic": trace.topic, "records": trace.records, "until": _iso(trace.until_s)}
                for trace in traces.traces.values()
            ],
        }
    ).decode()


def _iso(at_s: int | None) -> str | None:
    return datetime.fromtimestamp(at_s, UTC).isoformat() if at_s else None


def _moment(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
