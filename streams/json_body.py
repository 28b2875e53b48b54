"""A published record's body: a msgspec struct as JSON and back, held to its own schema, and that schema.

Serves `streams.alerts` and `streams.outcomes`, last word of the line from event to alert.
"""

from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


class JsonBody(Generic[T]):
    """One kind of body.

    Parameters
    ----------
    kind
        The struct.
    error
        Raised where a body breaks the schema. Its message names the field, never the customer.
    noun
        What it is called in that message.

    Examples
    --------
    >>> class Sum(msgspec.Struct):
    ...     total: float
    >>> body = JsonBody(Sum, ValueError, "sum")
    >>> body.encode(Sum(1.5)), body.decode(b'{"total": 2, "unknown": 0}')
    (b'{"total":1.5}', Sum(total=2.0))
    >>> body.encode(Sum(float("nan")))
    Traceback (most recent call last):
    ...
    ValueError: not a valid sum: Expected `float`, got `null` - at `$.total`
    """

    def __init__(self, kind: type[T], error: type[ValueError], noun: str) -> None:
        self._kind, self._error, self._noun = kind, error, noun
        self._encoder = msgspec.json.Encoder(order="deterministic")
        self._decoder = msgspec.json.Decoder(kind)

    def encode(self, value: T) -> bytes:
        """Turn a value into JSON, the same bytes for equal values; refuses what its own schema would refuse."""
        body = self._encoder.encode(value)
        self.decode(body)  # msgspec checks constraints when it reads, not when it writes; NaN is written as null
        return body

    def decode(self, body: bytes) -> T:
        """Read a value; unknown fields are ignored."""
        try:
            return self._decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self._error(f"not a valid {self._noun}: {error}") from error

    def schema(self, schema_id: str, title: str, example: T) -> dict[str, Any]:
        """Return the JSON Schema (draft 2020-12), with an example."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": schema_id,
            "title": title,
            **msgspec.json.schema(self._kind),
            "examples": [msgspec.json.decode(self.encode(example))],
        }
