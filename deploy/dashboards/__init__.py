"""The dashboards of Grafana as code: `worker`, `alerts` and `model`, one file each, written by ``make dashboards``.

The JSON in ``deploy/grafana/dashboards`` is generated; a test compares it with what stands here, and another one asks a
Prometheus, which has read a real worker, each query of each panel.
"""
