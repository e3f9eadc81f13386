"""The figures of `tests.load.routing` as a Markdown table, and as a plot."""

from pathlib import Path

Figures = dict[str, dict[str, float]]


def report(found: Figures, *, command: str) -> None:
    """Print the table."""
    print(f"`{command}`\n")
    ratios = "routed ÷ coordinator | routed ÷ plain"
    print(f"| per second | plain PostgreSQL | routed | coordinator | {ratios} |")
    print("|---|---:|---:|---:|---:|---:|")
    for label, routed in found["routed"].items():
        plain, through = found["plain PostgreSQL"][label], found["coordinator"][label]
        print(
            f"| {label} | {plain:,.0f} | {routed:,.0f} | {through:,.0f} "
            f"| {routed / through:.2f} | {routed / plain:.2f} |"
        )


def plot(found: Figures, path: Path) -> None:
    """Write the ratios to plain PostgreSQL as bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    labels = list(found["routed"])
    figure, axes = pyplot.subplots(figsize=(9, 4.2), layout="constrained")
    for number, name in enumerate(("routed", "coordinator")):
        ratios = [found[name][label] / found["plain PostgreSQL"][label] for label in labels]
        places = [place + 0.38 * number for place in range(len(labels))]
        bars = axes.barh(places, ratios, height=0.36, label=name)
        axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.axvline(1, color="grey", linewidth=1)
    axes.set_yticks([place + 0.19 for place in range(len(labels))], labels)
    axes.invert_yaxis()
    axes.set_xlabel("throughput ÷ that of plain PostgreSQL, four clients")
    axes.set_xlim(0, 1.15)
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
