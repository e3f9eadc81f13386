"""The last step: chapters, shared components, and each refusal once."""

from typing import Any

from shop.core.openapi.headers import ANSWER_HEADERS
from shop.core.openapi.introduction import INTRODUCTION
from shop.core.openapi.operations import further_schemas, outgoing, tags
from shop.core.openapi.problems import SCHEMAS, name_of, schema_of

LICENCE = {"name": "BSD 3-Clause", "identifier": "BSD-3-Clause"}
CONTACT = {"name": "The maintainers of Shardmart"}
SERVERS = [{"url": "/", "description": "The host that this document comes from."}]
METHODS = ("get", "post", "put", "patch", "delete")
BEARER = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The `access` token of `POST /api/auth/login/`.",
}
WEBHOOK = {
    "type": "apiKey",
    "in": "header",
    "name": "Webhook-Signature",
    "description": "`t=<unix seconds>,v1=<hex>`: the HMAC-SHA256, under the secret shared with "
    "the gateway, of `t`, a full stop, and the bytes of the body.",
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Complete the document that drf-spectacular made; its POSTPROCESSING_HOOKS name this."""
    components = result["components"]
    schemas = {name: _tidied(name, schema) for name, schema in components["schemas"].items()}
    components["headers"] = ANSWER_HEADERS
    components["securitySchemes"] = {"bearer": BEARER, "webhook": WEBHOOK}
    components["responses"] = _share_refusals(result["paths"])
    schemas |= SCHEMAS | further_schemas() | _problems(components["responses"])
    components["schemas"] = dict(sorted(schemas.items()))
    result["info"] |= {"description": INTRODUCTION, "license": LICENCE, "contact": CONTACT}
    result["servers"] = SERVERS
    result["tags"] = tags()
    result["webhooks"] = outgoing()
    return result


def _tidied(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without marks for generators; what answers have, they always have."""
    properties = {key: _unmarked(value) for key, value in schema.get("properties", {}).items()}
    tidy = {**schema, "properties": properties}
    if not name.endswith("Request"):
        tidy["required"] = sorted(properties)
    elif not name.startswith("Event"):  # the gateway's, which may grow
        tidy["additionalProperties"] = False
    return tidy


def _unmarked(value: dict[str, Any]) -> dict[str, Any]:
    plain = {key: v for key, v in value.items() if key not in ("x-spec-enum-id", "readOnly")}
    if list(plain) == ["allOf"] and len(plain["allOf"]) == 1:
        (only,) = plain["allOf"]  # made so for the mark, which is gone
        return dict(only)
    return plain


def _problems(responses: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of each code that the responses name."""
    return {
        name_of(code): schema_of(example["value"]["status"], code, example["value"]["detail"])
        for response in responses.values()
        for code, example in _examples(response).items()
    }


def _share_refusals(paths: dict[str, Any]) -> dict[str, Any]:
    """Replace every refusal by a reference to the one of its status and codes."""
    shared: dict[str, Any] = {}
    for item in paths.values():
        for method in METHODS:
            responses = item.get(method, {}).get("responses", {})
            for status, response in responses.items():
                if int(status) >= 400:
                    name = ".".join([status, *_codes(response)])
                    shared[name] = response
                    responses[status] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(shared.items()))


def _codes(response: dict[str, Any]) -> list[str]:
    return sorted(_examples(response))


def _examples(response: dict[str, Any]) -> dict[str, Any]:
    (media,) = response["content"].values()
    examples: dict[str, Any] = media["examples"]
    return examples
