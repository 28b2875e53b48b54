"""Runs every benchmark and prints one table each; `python -m tests.benchmarks NAME ...` runs only those named."""

import importlib
import sys

BENCHMARKS = ("throughput", "memory", "tick", "recovery", "models", "climates", "bad_input", "metrics", "scrape")


def main() -> None:
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
        importlib.import_module(f"tests.benchmarks.bench_{name}").run()


if __name__ == "__main__":
    main()
