"""Tables in Markdown pages that the code makes, between markers."""

MARKERS = "<!-- {name}: made by `make schema` -->", "<!-- end of {name} -->"


def replaced(text: str, name: str, table: str) -> str:
    """Return the text with this table between the markers of its name.

    Raises:
        ValueError: the markers are missing.
    """
    start, end = (marker.format(name=name) for marker in MARKERS)
    before, found, rest = text.partition(start)
    _, found_end, after = rest.partition(end)
    if not (found and found_end):
        raise ValueError(f"there is no pair of markers for {name}")
    return f"{before}{start}\n\n{table}\n\n{end}{after}"
