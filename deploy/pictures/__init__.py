"""Dashboards as pictures, for a report or a README: the same panels and queries, asked of Prometheus, without Grafana.

``python -m deploy.pictures out.png --from ... --to ...`` draws a stretch of time of any Prometheus that reads Yochō:
which alerts were pending or firing, above the panels that say why.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
"""Where the README's pictures are."""
