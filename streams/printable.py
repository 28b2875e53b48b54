"""Bytes nobody vouches for, as text a terminal can show: control characters escaped, JSON indented as it was written.

Serves `yocho dead-letters`. What a record holds could otherwise move the cursor, rename the window or turn a line
around.
"""

import re

import orjson

IDEOGRAPHIC_SPACE = "\u3000"
"""Python calls it unprintable; Japanese text is full of it."""
MAX_INDENTS = 20
"""Deeper nesting is not indented further: 1,024 levels would make a megabyte of a kilobyte."""

_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def safe_text(text: str) -> str:
    r"""Escape what cannot be printed: controls, line feeds, what turns the direction of a line, lone surrogates.

    Examples
    --------
    >>> print(safe_text("\x1b[2J佐藤\u3000花子\u202eotas"))
    \x1b[2J佐藤　花子\u202eotas
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == IDEOGRAPHIC_SPACE else _escaped(c) for c in text)


def safe_bytes(data: bytes) -> str:
    r"""Read bytes as UTF-8, escaping what is none and what cannot be printed.

    Examples
    --------
    >>> print(safe_bytes(b"c\xff1\x00"))
    c\xff1\x00
    """
    return safe_text(data.decode(errors="backslashreplace"))


def pretty(value: bytes) -> str:
    r"""Return JSON with each field on a line of its own, and anything else as `safe_bytes` does.

    The text of the JSON stays as it is, so a field given twice is seen twice.

    Examples
    --------
    >>> print(pretty(b'{"amount":1e2,"items":[{}],"amount":2}'))
    {
      "amount": 1e2,
      "items": [
        {}
      ],
      "amount": 2
    }
    >>> print(pretty(b'{"amount":'))
    {"amount":
    """
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return safe_bytes(value)
    return "\n".join(safe_text(line) for line in _indented(value.decode()))


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _indented(text: str) -> list[str]:
    """Lines of well-formed JSON; without recursion, as depth is the sender's choice."""
    lines: list[str] = []
    line, depth, just_opened = "", 0, False
    for match in _PIECE.finditer(text):
        piece = match[0]
        closes = piece in "}]"
        depth -= closes
        if closes != just_opened:  # an empty pair stays together
            lines.append(line)
            line = _pad(depth)
        just_opened = piece in "{["
        depth += just_opened
        line += ": " if piece == ":" else piece
        if piece == ",":
            lines.append(line)
            line = _pad(depth)
    return [*lines, line]


def _pad(depth: int) -> str:
    return "  " * min(depth, MAX_INDENTS)
