"""A password that nobody reads by accident: not in a repr, an error, a log, or what a command prints."""

import hmac
from typing import Any, NoReturn

MASK = "***"


class Secret:
    """A text that shows itself only when asked by name.

    Parameters
    ----------
    text
        What is to be kept.

    Examples
    --------
    >>> password = Secret("correct horse")
    >>> print(password, repr(password), f"{password:>5}")
    *** Secret(***)   ***
    >>> password.reveal()
    'correct horse'
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text; only what hands it to a client or to OpenSSL calls this."""
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")
