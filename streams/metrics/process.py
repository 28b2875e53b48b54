"""What every process says of itself, and the registry it says it on."""

import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Info, ProcessCollector, disable_created_metrics

from streams.metrics.family import Family, Label

BUILD = Family(
    "yocho_build_info", "info",
    "1; says what runs here. Two versions side by side are an upgrade under way: deploy/UPGRADE.md.",
    (Label("version", says="version of yocho"), Label("python", says="version of Python")),
)  # fmt: skip
VIRTUAL_MEMORY = Family("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.")
RESIDENT_MEMORY = Family("process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")
START_TIME = Family(
    "process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds.",
    unit="seconds since 1970",
)  # fmt: skip
CPU = Family("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.")
OPEN_FILES = Family("process_open_fds", "gauge", "Number of open file descriptors.", unit="files")
MAX_FILES = Family("process_max_fds", "gauge", "Maximum number of open file descriptors.", unit="files")


def new_registry() -> CollectorRegistry:
    """Make the registry of a process, with what every process says.

    Beside each counter Prometheus' client would show when it was made: as many series again, which nobody asks for.

    Examples
    --------
    >>> labels = {"version": version("yocho"), "python": platform.python_version()}
    >>> new_registry().get_sample_value("yocho_build_info", labels)
    1.0
    """
    disable_created_metrics()  # type: ignore[no-untyped-call]  # prometheus_client's own, without annotations
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Info(BUILD.name.removesuffix("_info"), BUILD.help, registry=registry)
    build.info({"version": version("yocho"), "python": platform.python_version()})
    return registry
