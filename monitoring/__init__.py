"""The monitoring: what Prometheus, Alertmanager, Grafana and the exporters are told.

`rendering` makes configuration for a stack from it, `linting` checks it, `dashboards` writes
Grafana's JSON. See docs/monitoring.md.
"""
