"""The panels that a picture shows: of the dashboard *Worker*, those by which somebody just woken finds their way.

Is anybody at work, are events decided, does anything wait, is a feed dead.
"""

from deploy.dashboards.worker import DASHBOARD

TITLES = (
    "Workers that answer",
    "Partitions served",
    "Events per second",
    "Records waiting",
    "From event to decision, caught up",
    "Stream time behind the clock",
    "Sources that are out, and alerts held",
    "Since the last commit",
)
GOLDEN = [{panel.title: panel for panel in DASHBOARD.panels}[title] for title in TITLES]
"""Where a large number and a graph have one title, the graph."""

AT_LEAST = {"Records waiting": 100.0}
"""How far a panel reaches at least, so that nothing looks like something."""
