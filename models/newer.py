"""Versions: what was written by a newer release of this code is told apart from what is damaged.

Beside per-customer state and the second line. A damaged record is one record's misfortune. A newer one says that an
upgrade has come this far and that this process is the old one: it must neither guess at what it reads nor write over
it.
"""


class NewerVersionError(ValueError):
    """A newer release wrote this; the message says which version was found and which this code reads."""


def refuse_newer(what: str, found: object, newest: int, oldest: int = 1) -> None:
    """Refuse a version above the newest one known; anything else is left to the caller.

    Parameters
    ----------
    what
        What bears the version, for the message.
    found
        The version as it was read; no whole number is not a newer version.
    newest, oldest
        Versions this code reads, >= 1.

    Raises
    ------
    NewerVersionError
        `found` is above `newest`.

    Examples
    --------
    >>> refuse_newer("model snapshot", 2, newest=2)
    >>> refuse_newer("model snapshot", 3, newest=2, oldest=2)
    Traceback (most recent call last):
    models.newer.NewerVersionError: model snapshot has version 3, this code reads version 2
    >>> refuse_newer("stored customer", 9, newest=3)
    Traceback (most recent call last):
    models.newer.NewerVersionError: stored customer has version 9, this code reads versions 1 to 3
    """
    if isinstance(found, int) and found > newest:
        known = f"version {newest}" if oldest == newest else f"versions {oldest} to {newest}"
        raise NewerVersionError(f"{what} has version {found}, this code reads {known}")
