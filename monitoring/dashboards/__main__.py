"""Write the dashboards: `python -m monitoring.dashboards`."""

from monitoring.dashboards import ALL
from monitoring.dashboards.build import rendered
from monitoring.rendering import HERE

DIRECTORY = HERE / "grafana" / "dashboards"


def main() -> None:
    """Write each dashboard into its file, and remove files of dashboards that are no more."""
    written = {f"{dashboard.uid}.json": rendered(dashboard) for dashboard in ALL}
    for path in DIRECTORY.glob("*.json"):
        if path.name not in written:
            path.unlink()
    for name, text in written.items():
        (DIRECTORY / name).write_text(text)


if __name__ == "__main__":
    main()
