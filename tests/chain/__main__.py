"""Tells the story with the rules as they are, on Apache Kafka, and draws the README's pictures: `make chain`.

Ends with 1 if anything fired that should not.
"""

import sys

from deploy.pictures import FOLDER
from tests.chain.chain import started
from tests.chain.pictures import pictures
from tests.chain.story import DOWN, FULL, SOURCE_OUT, UNSERVED, fired, tell


def main() -> None:
    with started(FULL) as chain:
        print("all is well, and will not be for long: half an hour", flush=True)
        tell(chain)
        began_s = chain.marks[0].at_s
        at_s = {mark.name: mark.at_s for mark in chain.marks}
        intervals = fired(chain)
        for name, (_, figure) in pictures(chain.prometheus.address, at_s, FULL).items():
            figure.savefig(FOLDER / name)
    for mark in chain.marks:
        print(f"{mark.at_s - began_s:7.1f} s  {mark.name}")
    for one in intervals:
        print(f"{one.from_s - began_s:7.1f} to {one.until_s - began_s:7.1f} s  {one.name}")
    more = {one.name for one in intervals} - {DOWN, UNSERVED, SOURCE_OUT}
    print(f"fired beside what had to: {', '.join(sorted(more)) or 'nothing'}")
    sys.exit(bool(more))


if __name__ == "__main__":
    main()
