"""The OpenAPI document is complete, right, and the one that is committed."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from yaml import safe_load

from shop.core.markdown import replaced
from shop.core.openapi.operations import described, problem_members
from shop.core.openapi.problems import by_status, refusal
from shop.core.openapi.table import with_tables
from shop.core.openapi.views import document
from shop.inventory.errors import InsufficientStock
from shop.webhooks.models import TOPICS
from tests.integration.core.routes import METHODS, api_routes

ROOT = Path(__file__).resolve().parents[3]
RENEW = "it is stale: run `make schema`, and look at what changed"


@cache
def schema() -> dict[str, Any]:
    return safe_load(document("yaml"))


def operations() -> list[Any]:
    return [
        pytest.param(operation, id=operation["operationId"])
        for item in schema()["paths"].values()
        for method, operation in item.items()
        if method.upper() in METHODS
    ]


every_operation = pytest.mark.parametrize("operation", operations())


def resolved(node: Any) -> Any:
    """Follow a reference, if it is one."""
    if "$ref" not in node:
        return node
    found: Any = schema()
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    committed = (ROOT / "docs/openapi.yaml").read_bytes()
    assert committed == document("yaml"), f"docs/openapi.yaml: {RENEW}"


def test_the_document_is_made_without_a_warning() -> None:
    reset_generator_stats()
    made = SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS, GENERATOR_STATS
    validate_schema(made)


def test_it_is_openapi_3_1() -> None:
    assert schema()["openapi"] == "3.1.0"


def test_every_route_and_method_of_the_api_is_in_it() -> None:
    routed = {
        (re.sub(r"<\w+:(\w+)>", r"{\1}", route.template), method.lower())
        for route in api_routes()
        for method in METHODS
        if route.takes(method)
    }
    shown = {
        (path, method)
        for path, item in schema()["paths"].items()
        for method in item
        if method.upper() in METHODS
    }
    assert shown == routed


def test_nothing_is_described_that_no_route_leads_to() -> None:
    reached = {
        f"{cls.__module__.partition('.api.')[0]}:{cls.__name__}.{method.lower()}"
        for route in api_routes()
        for method in METHODS
        if route.takes(method)
        for cls in route.view.view_class.__mro__  # type: ignore[attr-defined]
    }
    assert described() - reached == set()


def test_operation_ids_are_unique() -> None:
    ids = [operation.values[0]["operationId"] for operation in operations()]
    assert len(ids) == len(set(ids))


@every_operation
def test_an_operation_says_what_it_is_for(operation: dict[str, Any]) -> None:
    chapters = {tag["name"] for tag in schema()["tags"]}
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", operation["operationId"])
    assert operation["summary"]
    assert not operation["summary"].endswith(".")
    assert operation["description"].endswith(".")
    assert set(operation["tags"]) <= chapters
    assert operation["security"] in ([], [{"bearer": []}], [{"webhook": []}])


@every_operation
def test_an_operation_has_examples_of_request_and_answer(operation: dict[str, Any]) -> None:
    contents = [operation["requestBody"]] if "requestBody" in operation else []
    contents += [
        answer
        for status, answer in operation["responses"].items()
        if status < "300" and "content" in answer
    ]
    for content in contents:
        (media,) = content["content"].values()
        assert _errors(media["schema"], media["example"]) == []


@every_operation
def test_an_operation_says_what_it_refuses(operation: dict[str, Any]) -> None:
    refusals = {s: resolved(r) for s, r in operation["responses"].items() if s >= "400"}
    wanted = {"406", "503"} | ({"401"} if operation["security"] == [{"bearer": []}] else set())
    wanted |= {"400", "413", "415"} if "requestBody" in operation else set()
    assert wanted <= refusals.keys()
    for status, answer in refusals.items():
        (media_type,) = answer["content"]
        media = answer["content"][media_type]
        assert media_type == "application/problem+json"
        assert "X-Request-ID" in answer["headers"]
        for code, example in media["examples"].items():
            assert example["value"]["code"] == code
            assert example["value"]["status"] == int(status)
            assert _errors(media["schema"], example["value"]) == []


def _errors(of: dict[str, Any], example: Any) -> list[str]:
    """Return why an example does not conform to its schema."""
    root = {"components": schema()["components"], **of}
    validator = Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(example)]


def test_an_example_that_does_not_conform_is_noticed() -> None:
    assert _errors({"$ref": "#/components/schemas/Problem"}, {"code": 3})


def test_money_is_text_with_two_decimals() -> None:
    price = schema()["components"]["schemas"]["Product"]["properties"]["price"]
    assert price["type"] == "string"
    assert re.match(price["pattern"], "19.90")
    assert not re.match(price["pattern"], "19.9")
    asked = schema()["components"]["schemas"]["ProductRequest"]["properties"]["price"]
    assert [text for text in ("0", "19.9", "19.90") if re.match(asked["pattern"], text)] == [
        "0",
        "19.9",
        "19.90",
    ]
    assert not re.match(asked["pattern"], "-1")


def test_what_needs_an_idempotency_key_says_so() -> None:
    keyed = {
        operation.values[0]["operationId"]: parameter.get("required", False)
        for operation in operations()
        for parameter in operation.values[0].get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    }
    assert keyed["orders_place"]
    assert not keyed["cart_items_add"]  # kept if it is sent


def test_refusals_are_grouped_by_status_each_code_once() -> None:
    short = refusal(InsufficientStock)
    assert by_status([short, short]) == {409: [short]}
    assert short.meaning.startswith("More is wanted than is there")
    assert "lines" in problem_members()["insufficient_stock"]


def test_each_code_has_one_schema_of_its_name_with_the_members_it_brings() -> None:
    schemas = schema()["components"]["schemas"]
    named = {
        reference["$ref"].rpartition("/")[2]
        for response in schema()["components"]["responses"].values()
        for media in response["content"].values()
        for reference in media["schema"].get("oneOf", [media["schema"]])
    }
    assert named == {name for name in schemas if name.endswith("Problem") and name != "Problem"}
    fixed = schemas["InsufficientStockProblem"]["allOf"][1]["properties"]
    assert fixed["status"] == {"type": "integer", "enum": [409]}
    assert fixed["code"] == {"type": "string", "enum": ["insufficient_stock"]}
    line = fixed["lines"]["items"]
    assert line["required"] == ["product_id", "requested", "available"]
    assert line["properties"]["available"]["type"] == "integer"


def _examples_within(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("examples"), list):
            yield from ((node, example) for example in node["examples"])
        for inner in node.values():
            yield from _examples_within(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _examples_within(inner)


def test_every_example_of_a_schema_fits_it() -> None:
    found = list(_examples_within(schema()))
    assert len(found) > 10
    assert [errors for of, example in found if (errors := _errors(of, example))] == []


def test_whose_document_it_is_and_where_it_holds() -> None:
    assert schema()["info"]["license"]["identifier"] == "BSD-3-Clause"
    assert schema()["info"]["contact"]
    assert schema()["servers"][0]["url"] == "/"


def test_every_topic_that_merchants_hear_of_is_described() -> None:
    assert set(schema()["webhooks"]) == set(TOPICS)
    for topic, item in schema()["webhooks"].items():
        (media,) = item["post"]["requestBody"]["content"].values()
        assert _errors(media["schema"], media["example"]) == []
        assert media["example"]["type"] == topic


def test_what_is_exported_is_typed_column_by_column() -> None:
    schemas = schema()["components"]["schemas"]
    assert schemas["Export"]["properties"]["orders"]["items"] == {
        "$ref": "#/components/schemas/ExportedOrder"
    }
    payment = schemas["ExportedPayment"]["properties"]
    assert payment["order_id"] == {"type": "string", "format": "uuid"}
    assert "token" not in payment
    assert "password" not in schemas["ExportedUser"]["properties"]


def test_the_tables_of_the_page_are_what_the_document_says() -> None:
    page = (ROOT / "docs/api.md").read_text()
    assert page == with_tables(page), f"docs/api.md: {RENEW}"


def test_a_page_without_markers_is_not_touched() -> None:
    with pytest.raises(ValueError, match="no pair of markers for codes"):
        replaced("# The API", "codes", "| |")
