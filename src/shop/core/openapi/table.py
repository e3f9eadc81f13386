"""The tables of docs/api.md, made of the OpenAPI document."""

from typing import Any

from shop.core.markdown import replaced
from shop.core.openapi.completion import METHODS
from shop.core.openapi.views import parsed_document


def with_tables(text: str) -> str:
    """Return a page with its tables as the code makes them now."""
    document = parsed_document()
    text = replaced(text, "endpoints", endpoint_table(document))
    return replaced(text, "codes", code_table(document))


def endpoint_table(document: dict[str, Any]) -> str:
    """Return every operation as a row of a Markdown table."""
    head = ["| method | path | what it does | for | refuses with |", "|---|---|---|---|---|"]
    rows = [
        _endpoint_row(method.upper(), path, item[method], document)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]
    return "\n".join(head + rows)


def code_table(document: dict[str, Any]) -> str:
    """Return every problem code with its status and its meaning."""
    meanings: dict[tuple[str, str], str] = {}
    for name, response in document["components"]["responses"].items():
        for line in response["description"].splitlines():
            code, _, meaning = line.removeprefix("- `").partition("`: ")
            meanings[name.partition(".")[0], code] = meaning
    rows = [
        f"| {status} | `{code}` | {meanings[status, code]} |" for status, code in sorted(meanings)
    ]
    return "\n".join(["| status | code | meaning |", "|---|---|---|", *rows])


def _endpoint_row(method: str, path: str, operation: dict[str, Any], document: Any) -> str:
    codes: list[str] = []
    for status, response in operation["responses"].items():
        if status in ("404", "409", "422"):
            name = response["$ref"].rpartition("/")[2]
            (media,) = document["components"]["responses"][name]["content"].values()
            codes += [f"`{code}`" for code in media["examples"]]
    cells = [method, f"`{path}`", operation["summary"], _audience(operation), " ".join(codes)]
    return f"| {' | '.join(cells)} |"


def _audience(operation: dict[str, Any]) -> str:
    if operation["security"] != [{"bearer": []}]:
        return "the gateway" if operation["security"] else "everybody"
    _, found, roles = operation.get("description", "").rpartition("For the roles ")
    return roles.rstrip(".").replace("`", "") if found else "users"
