"""Does a JSON object hold one of our fields twice? orjson keeps the last one without a word.

Serves `streams.codec`. The question is settled by counting where it can be: a flat record costs one
`bytes.count`. Only what counting cannot clear is scanned token by token.
"""

import re

import orjson

_TOKEN = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?|[{}]', re.DOTALL)


def has_doubled(value: bytes, body: dict[str, object], fields: tuple[bytes, ...]) -> bool:
    r"""Tell whether one of the fields stands twice at the top level of an object.

    Assumes that `body` is what orjson read from `value`, so the JSON is well formed.

    Parameters
    ----------
    value
        The record's bytes.
    body
        What they say.
    fields
        Names with their quotes, as in ``b'"amount"'``.

    Examples
    --------
    >>> value = b'{"amount":1,"note":{"amount":2}}'
    >>> has_doubled(value, orjson.loads(value), (b'"amount"',))
    False
    >>> value = b'{"amount":1,"am\\u006funt":2}'
    >>> has_doubled(value, orjson.loads(value), (b'"amount"',))
    True

    Notes
    -----
    Each key brings a colon of its own. If the bytes hold exactly as many colons as the keys and texts of the
    parsed body account for, nothing was dropped. An escaped colon or key would spoil the count, hence the
    look for a backslash.
    """
    escaped = b"\\" in value
    if not escaped:
        colons = value.count(b":")
        if colons == len(body) or colons == _colons(body):
            return False
        if all(value.count(field) < 2 for field in fields):
            return False
    return _scan(value, fields)


def _colons(body: dict[str, object]) -> int:
    """Colons of the keys and texts of an object and of the objects in its lists; deeper ones are left out."""
    n = len(body)
    for value in body.values():
        if type(value) is str:
            n += value.count(":")
        elif type(value) is list:
            for item in value:
                if type(item) is dict:
                    n += len(item)
    return n


def _scan(value: bytes, fields: tuple[bytes, ...]) -> bool:
    """Read the keys at brace depth one; a text in a list there is no key, as no colon follows it."""
    depth = 0
    seen: set[bytes] = set()
    escaped: list[bytes] = []
    for token in _TOKEN.finditer(value):
        text = token[1]
        if text is None:
            depth += 1 if token[0] == b"{" else -1
        elif depth == 1 and token[2] is not None:
            if b"\\" in text:
                escaped.append(text)
            elif text in fields:
                if text in seen:
                    return True
                seen.add(text)
    # all at once: one by one they cost 3 us each, and 64 KiB hold 4,500
    ours = {field[1:-1].decode() for field in fields}
    names: list[str] = orjson.loads(b"[%b]" % b",".join([*seen, *escaped]))
    known = [name for name in names if name in ours]
    return len(set(known)) < len(known)
