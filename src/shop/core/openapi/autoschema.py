"""Makes each operation of the document out of its view and of what its room says of it."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from drf_spectacular.drainage import error
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from shop.core.conditional import PreconditionInvalid, PreconditionUnsupported
from shop.core.errors import AccountClosed
from shop.core.idempotency import InProgress, KeyReused
from shop.core.openapi import headers, problems
from shop.core.openapi.fields import MoneyField
from shop.core.openapi.operations import Operation, Refusal, operation_of
from shop.core.openapi.problems import refusal
from shop.core.pagination import MAX_PAGE_SIZE
from shop.core.permissions import is_open, lets_in
from shop.core.roles import Role
from shop.core.strictness import UnknownField, UnknownParameter

BODY_METHODS = ("POST", "PUT", "PATCH")
UNDESCRIBED = Operation(id="undescribed", summary="Undescribed", tag="Undescribed")

# An example for each placeholder of the paths.
PATH_EXAMPLES: dict[str, tuple[Any, str]] = {
    "category_id": (3, "Id of the category."),
    "product_id": (17, "Id of the product."),
    "item_id": (headers.UUID_EXAMPLE, "Id of the line."),
    "order_id": (headers.UUID_EXAMPLE, "Id of the order."),
    "payment_id": (headers.UUID_EXAMPLE, "Id of the payment."),
    "review_id": (headers.UUID_EXAMPLE, "Id of the review."),
    "user_id": (headers.UUID_EXAMPLE, "Id of the user."),
    "endpoint_id": (4, "Id of the webhook's endpoint."),
    "delivery_id": (headers.UUID_EXAMPLE, "Id of the delivery."),
}
BIGINT_MAX = 2**63 - 1


class Schema(AutoSchema):
    """One operation; set as REST framework's DEFAULT_SCHEMA_CLASS."""

    field_extensions = (MoneyField,)  # importing one registers it

    told: Operation  # what the operation's room says of it

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> Any:
        self.told = operation_of(self.view, method) or UNDESCRIBED
        operation: Any = super().get_operation(path, path_regex, path_prefix, method, registry)
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                _explain(parameter)
        if self.told.sends is not None:
            for media in operation["requestBody"]["content"].values():
                media["example"] = self.told.sends
        operation["security"] = self.get_auth()  # the empty list too: "without a token"
        operation["responses"] = self._answers(operation["responses"])
        return operation

    def get_operation_id(self) -> str:
        if self.told is UNDESCRIBED:
            name = f"{type(self.view).__name__}.{self.method.lower()}"
            error(f"{name} is not described in its room's api/schema.py")
        return self.told.id

    def get_summary(self) -> str:
        return self.told.summary

    def get_description(self) -> str:  # type: ignore[override]
        roles = self._roles()
        sentences = [self.told.description]
        if Role.CUSTOMER not in roles:
            names = ", ".join(f"`{role.value}`" for role in Role if role in roles)
            sentences.append(f"For the roles {names}.")
        return "\n\n".join(filter(None, sentences))

    def is_deprecated(self) -> bool:
        return self.told.deprecated

    def get_tags(self) -> list[str]:
        return [self.told.tag]

    def get_auth(self) -> list[dict[str, list[str]]]:
        return [] if self._is_open() else [{self.told.security: []}]

    def get_request_serializer(self) -> Any:
        return self.told.body

    def get_response_serializers(self) -> Any:
        return {self.told.status: OpenApiResponse(self.told.returns, "Done.")}

    def get_override_parameters(self) -> list[Any]:
        told = self.told
        parameters: list[Any] = []
        if told.query:
            parameters.append(told.query)
        if told.orderings:
            parameters.append(_ordering(told.orderings))
        if told.paged:
            parameters += [_cursor(), _page_size()]
        if told.idempotent:
            parameters.append(headers.idempotency_key(required=told.idempotent == "required"))
        if self._compares_if_match():
            parameters.append(headers.IF_MATCH)
        if self.method == "GET":
            parameters.append(headers.IF_NONE_MATCH)
        return parameters

    def _get_request_body(self, direction: str = "request") -> Any:
        if self.method != "DELETE" or self.told.body is None:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        self.method = "POST"  # drf-spectacular gives a body to no DELETE
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = "DELETE"

    def get_filter_backends(self) -> list[Any]:
        return []

    def _get_paginator(self) -> Any:
        view: Any = self.view
        return view.pagination_class() if self.told.paged else None

    def _is_list_view(self, serializer: Any = None) -> bool:
        told = self.told
        return told.paged or bool(getattr(told.returns, "many", False))

    def _is_open(self) -> bool:
        return is_open(self.view, self.method)

    def _compares_if_match(self) -> bool:
        return self.method in getattr(self.view, "if_match", ())

    def _roles(self) -> set[Role]:
        """Return the roles that the view's permissions let in: they are asked, not read."""
        return {role for role in Role if lets_in(self.view, self.method, _somebody(role))}

    def _answers(self, made: dict[str, Any]) -> dict[str, Any]:
        """Return all responses: success, 304, and a problem document for each other status."""
        success = made[str(self.told.status)]
        success["headers"] = headers.answer_headers(*self._success_headers())
        success["description"] = _meaning_of(self.told.status)
        if self.told.example is not None:
            for media in success["content"].values():
                media["example"] = self.told.example
        if self.method == "GET":
            made["304"] = {
                "description": "It still has the ETag that If-None-Match named.",
                "headers": headers.answer_headers("ETag"),
            }
        for status, refusals in problems.by_status(self._refusals()).items():
            made[str(status)] = problems.response(refusals, _refusal_headers(status))
        return dict(sorted(made.items()))

    def _success_headers(self) -> list[str]:
        wanted = {
            "ETag": self.told.versioned and self._has_version(),
            "Location": self.told.located,
            "Idempotent-Replayed": bool(self.told.idempotent),
        }
        return [*self.told.says, *(name for name, is_wanted in wanted.items() if is_wanted)]

    def _has_version(self) -> bool:
        is_updated = self._compares_if_match() and self.told.returns is not None
        return is_updated or self.method in ("GET", "PUT", "PATCH")

    def _refusals(self) -> Iterator[Refusal]:
        yield from map(refusal, self.told.errors)
        yield from (problems.NO_FORMAT, problems.THROTTLED, problems.DOWN)
        yield from self._refusals_of_callers()
        yield from self._refusals_of_content()
        if "{" in self.path:
            yield problems.NO_SUCH
        yield refusal(PreconditionUnsupported)
        if self.method == "GET" or self._compares_if_match():
            yield refusal(PreconditionInvalid)
        if self._compares_if_match():
            yield problems.STALE
        if self.told.idempotent:
            yield problems.KEY_MISSING
            yield from map(refusal, (KeyReused, InProgress))

    def _refusals_of_callers(self) -> Iterator[Refusal]:
        if self.told.security == "bearer" and not self._is_open():
            yield from (problems.BAD_TOKEN, problems.NO_TOKEN)
            if self.method != "GET":
                yield refusal(AccountClosed)
        if self._roles() != set(Role):
            yield from (problems.WRONG_ROLE, refusal(AccountClosed))

    def _refusals_of_content(self) -> Iterator[Refusal]:
        if self.told.query or self.told.paged or self.told.body:
            yield problems.INVALID
        if self._is_list_view() and not self._is_open():
            yield refusal(UnknownParameter)
        if self.method in BODY_METHODS or self.told.body:
            yield from (problems.MALFORMED, problems.TOO_LARGE, problems.NO_JSON)
            if self.told.security == "bearer":  # a gateway may tell more than it is asked
                yield refusal(UnknownField)


def _somebody(role: Role) -> object:
    return SimpleNamespace(
        id=None, role=role.value, is_authenticated=True, live_role=lambda: role.value
    )


def _meaning_of(status: int) -> str:
    return {200: "Done.", 201: "Made.", 202: "Accepted.", 204: "Done; there is nothing to say."}[
        status
    ]


def _refusal_headers(status: int) -> dict[str, Any]:
    extra = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
    return headers.answer_headers(*extra.get(status, []))


def _explain(parameter: dict[str, Any]) -> None:
    example, description = PATH_EXAMPLES.get(parameter["name"], (None, ""))
    if example is None:
        error(f"no example for the placeholder {parameter['name']}")
    parameter.update(description=description, example=example)
    if parameter["schema"].get("type") == "integer":
        parameter["schema"].update(minimum=1, maximum=BIGINT_MAX, format="int64")


def _ordering(orderings: tuple[str, ...]) -> OpenApiParameter:
    return OpenApiParameter(
        "ordering",
        str,
        enum=orderings,
        default=orderings[0],
        description="The field to sort by; `-` for the other way round.",
    )


def _cursor() -> OpenApiParameter:
    return OpenApiParameter(
        "cursor", str, description="From `next` or `previous` of a page of this very list."
    )


def _page_size() -> OpenApiParameter:
    schema = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE_SIZE, "default": 20}
    return OpenApiParameter("page_size", schema, description="Rows of a page.")
