"""CloudEvents 1.0 attributes as Kafka headers, binary content mode: what every record people read carries."""

from collections.abc import Iterable
from datetime import datetime

import msgspec


def binary_headers(
    *, id: str, source: str, type: str, time: datetime, dataschema: str, replay: bool
) -> list[tuple[str, bytes]]:
    """Return the attributes of a JSON record as Kafka headers.

    Parameters
    ----------
    id, source, type, time, dataschema
        The attributes of these names. Nothing that names a customer.
    replay
        Whether it is history that nobody should act on: one header more, ``ce_yochoreplay``, so that it can be passed
        over unread.

    Returns
    -------
    list of (str, bytes)
        Names as in the Kafka binding [1]_: ``ce_`` before each attribute, ``content-type`` for the data.

    Examples
    --------
    >>> from datetime import UTC
    >>> moment = datetime(2026, 4, 11, 3, 0, tzinfo=UTC)
    >>> headers = binary_headers(id="7", source="/yocho/a", type="t.v1", time=moment, dataschema="urn:s", replay=False)
    >>> [name for name, _ in headers]
    ['ce_specversion', 'ce_id', 'ce_source', 'ce_type', 'ce_time', 'ce_dataschema', 'content-type']
    >>> dict(headers)["ce_time"]
    b'2026-04-11T03:00:00Z'

    References
    ----------
    .. [1] CloudEvents, Kafka protocol binding 1.0, section 3.2.
       https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
    """
    attributes = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "time": msgspec.to_builtins(time),
        "dataschema": dataschema,
    }
    if replay:
        attributes["yochoreplay"] = "true"
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return [*headers, ("content-type", b"application/json; charset=utf-8")]


def version_of(headers: Iterable[tuple[str, bytes]]) -> int | None:
    """Return the version that the type of a record ends with; None where it has no such type.

    Examples
    --------
    >>> version_of([("ce_type", b"yocho.alert.opened.v2")]), version_of([])
    (2, None)
    """
    _, dot, version = dict(headers).get("ce_type", b"").rpartition(b".v")
    return int(version) if dot and version.isdigit() else None
