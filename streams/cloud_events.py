"""CloudEvents 1.0 attributes as Kafka headers, binary content mode: what every record people read carries."""

from collections.abc import Mapping


def binary_headers(attributes: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Return the attributes of a JSON record as Kafka headers.

    Parameters
    ----------
    attributes
        Attributes by name, ``specversion`` left out. Nothing that names a customer.

    Returns
    -------
    list of (str, bytes)
        Names as in the Kafka binding [1]_: ``ce_`` before each attribute, ``content-type`` for the data.

    Examples
    --------
    >>> [name for name, _ in binary_headers({"id": "7"})]
    ['ce_specversion', 'ce_id', 'content-type']

    References
    ----------
    .. [1] CloudEvents, Kafka protocol binding 1.0, section 3.2.
       https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/kafka-protocol-binding.md
    """
    headers = [(f"ce_{name}", value.encode()) for name, value in {"specversion": "1.0", **attributes}.items()]
    return [*headers, ("content-type", b"application/json; charset=utf-8")]
