"""A label as a record of its topic: JSON body, version in a header, and back.

Between the first line, whose workers write labels, and the trainer on the second. A field more does not raise the
version: readers pass over what they do not know. Labels without the header are of version 1.
"""

from collections.abc import Iterable

import msgspec

from models.labels import Label
from models.newer import refuse_newer
from streams.engine.outbox import Headers

VERSION = 1
VERSION_HEADER = "version"
HEADERS: Headers = [(VERSION_HEADER, str(VERSION).encode())]
"""Of every label that is written."""

_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Label)


def encode(label: Label) -> bytes:
    """Return the body. Not by orjson, which leaves each in a buffer of 8 KiB, and thousands may wait to be sent."""
    return _encoder.encode(label)


def decode(body: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Label:
    """Read a label from its record.

    Raises
    ------
    NewerVersionError
        A newer release wrote it.
    msgspec.DecodeError
        It is no label.

    Examples
    --------
    >>> label = Label("c1", 0, 86_400, True, 0.5, {"order_silence": 1.5})
    >>> decode(encode(label), HEADERS) == decode(encode(label), []) == label
    True
    >>> decode(encode(label), [("version", b"2")])
    Traceback (most recent call last):
    models.newer.NewerVersionError: label has version 2, this code reads version 1
    """
    version = dict(headers).get(VERSION_HEADER, b"")
    refuse_newer("label", int(version) if version.isdigit() else None, VERSION, VERSION)
    return _decoder.decode(body or b"")
