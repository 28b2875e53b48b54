"""``python -m deploy.dashboards`` writes the JSON that Grafana is given anew."""

from pathlib import Path

from deploy.dashboards import alerts, model, worker

FOLDER = Path(__file__).parents[1] / "grafana" / "dashboards"
DASHBOARDS = {"worker.json": worker.DASHBOARD, "alerts.json": alerts.DASHBOARD, "model.json": model.DASHBOARD}

if __name__ == "__main__":
    for name, dashboard in DASHBOARDS.items():
        (FOLDER / name).write_text(dashboard.to_json(), encoding="utf-8")
