"""What an import did, in sentences, for the command and the staff page alike."""

from collections.abc import Iterator

from shop.inventory.importing import EMPTY, Summary

MOST_NAMED = 20  # removed variants; the rest is counted


def sentences(summary: Summary, *, archived: bool = False) -> Iterator[str]:
    """Yield what became of the products, and what was left out.

    Args:
        archived: whether what the file no longer has was taken off sale.
    """
    yield (
        f"{summary.loaded} products: {summary.created} created, {summary.updated} updated, "
        f"{summary.unchanged} unchanged; stock set for {summary.restocked}."
    )
    if summary.not_for_sale:
        counts = ", ".join(f"{n} {status}" for status, n in sorted(summary.not_for_sale.items()))
        yield f"Not for sale: {counts}."
    if empty := sum(text == EMPTY for _, text in summary.unsold):
        yield f"{empty} for sale with nothing in stock; --explain names the lines."
    if summary.uncounted:
        yield f"{summary.uncounted} sold without counting: untracked, or sold when out of stock."
    if summary.untold:
        yield f"{summary.untold} without a quantity: their stock was left as it is."
    yield from _removed(summary, archived)
    if summary.adoptable:
        yield (
            f"{summary.adoptable} have the slug of a product that no import made, or an earlier "
            "one: a product of their own stands beside it. --adopt takes that one instead."
        )
    if summary.not_loaded:
        columns = ", ".join(f"{title} {n}" for title, n in summary.not_loaded.most_common())
        yield f"Not loaded, cells by column: {columns}."


def _removed(summary: Summary, archived: bool) -> Iterator[str]:
    if not summary.removed:
        return
    names = ", ".join(one.name for one in summary.removed[:MOST_NAMED])
    if more := len(summary.removed) - MOST_NAMED:
        names += f" and {more} more" if more > 0 else ""
    what = "archived" if archived else "still for sale; --archive-removed takes them off"
    yield f"{len(summary.removed)} variants that the file no longer has, {what}: {names}."
