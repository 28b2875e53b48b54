"""Asks the advisory service of PyPI, by way of pip-audit, for known vulnerabilities of what is locked: `make audit`.

Vulnerabilities fail it, and so does a package that was left out while others were audited. Where the service cannot be
asked at all, as on machines without that network, it says so in one line and fails nothing: that is no clean bill, and
does not read like one.
"""

import json
import re
import subprocess
import sys
from typing import Any, NamedTuple

AUDIT = ("-m", "pip_audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json")
PATIENCE_S = 300
UNREACHED = re.compile("(Connection|Proxy|SSL)Error|Timeout|Connect|refused|resol|unreachable", re.IGNORECASE)
"""What the last line of pip-audit's complaint says when it is the network that failed, and not pip-audit."""


class Verdict(NamedTuple):
    """What to tell and how to exit."""

    lines: list[str]
    code: int


def judge(report: str, complaint: str) -> Verdict:
    """Judge pip-audit's report.

    Parameters
    ----------
    report
        Its JSON; empty where it gave up.
    complaint
        What it wrote to stderr.

    Examples
    --------
    >>> judge('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "")
    Verdict(lines=['audit: 1 packages, no known vulnerability'], code=0)
    """
    if not report:
        last = (complaint.strip().splitlines() or ["it said nothing"])[-1]
        return _not_asked(last) if UNREACHED.search(last) else Verdict([f"audit: pip-audit failed: {last}"], 1)
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    left_out = [package for package in packages if "skip_reason" in package]
    if len(left_out) == len(packages):
        return _not_asked(left_out[0]["skip_reason"] if left_out else "nothing is locked")
    found = [
        f"audit: {package['name']} {package['version']}: {vulnerability['id']},"
        f" mended in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in packages
        for vulnerability in package.get("vulns", [])
    ]
    found += [f"audit: {package['name']} was not audited: {package['skip_reason']}" for package in left_out]
    return Verdict(found or [f"audit: {len(packages)} packages, no known vulnerability"], 1 if found else 0)


def _not_asked(why: str) -> Verdict:
    return Verdict([f"audit: NOT DONE, the advisory service cannot be asked from here ({why})"], 0)


def main(lock: str) -> int:
    """Audit a lock file; gives the exit code."""
    command = (sys.executable, *AUDIT, "--requirement", lock)
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)  # noqa: S603 - ours
    except subprocess.TimeoutExpired:
        verdict = _not_asked(f"no answer in {PATIENCE_S} s")
    else:
        verdict = judge(ended.stdout, ended.stderr)
    print("\n".join(verdict.lines))
    return verdict.code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
