"""The addresses a process listens on, as Linux tells under /proc."""

import ipaddress
from pathlib import Path

_LISTEN = "0A"


def listening(pid: int) -> list[tuple[str, int]]:
    """Address and port of each TCP socket that a process listens on."""
    links = (_target(link) for link in Path(f"/proc/{pid}/fd").iterdir())
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}
    return sorted(
        (_address(local), int(local.rpartition(":")[2], 16))
        for table in ("tcp", "tcp6")
        for _, local, _, state, *_, inode in _rows(Path(f"/proc/{pid}/net/{table}"))
        if state == _LISTEN and inode in inodes
    )


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except FileNotFoundError:  # closed since the folder was read
        return ""


def _rows(table: Path) -> list[list[str]]:
    lines = table.read_text().splitlines()[1:] if table.exists() else []
    return [line.split()[:10] for line in lines]


def _address(local: str) -> str:
    """From words of four bytes, each in the machine's order."""
    digits = local.rpartition(":")[0]
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    return str(ipaddress.ip_address(b"".join(words)))
