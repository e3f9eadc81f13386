"""Small helps that every API view uses."""

from collections.abc import Callable, Mapping
from typing import Any, cast
from uuid import UUID

from prometheus_client import Counter
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from shop.core.db import retrying
from shop.core.idempotency import Answer, fingerprint_of, key_from, run_once
from shop.core.strictness import given, refuse_unknown_fields

REPLAYS = Counter(
    "shardmart_idempotent_replays_total", "Requests that were answered with a stored answer."
)


def validated(
    serializer: type[BaseSerializer[Any]], data: Any, *, partial: bool = False
) -> dict[str, Any]:
    """Return a body as the serializer understands it.

    Args:
        partial: whether what is left out stays as it is.

    Raises:
        UnknownField, ValidationError
    """
    instance = serializer(data=data, partial=partial)
    refuse_unknown_fields(instance, data, whole=False)
    return _understood(instance)


def told(serializer: type[BaseSerializer[Any]], data: Any) -> dict[str, Any]:
    """Return what another program tells us, whose messages may grow: what is new is not read.

    Raises:
        ValidationError
    """
    return _understood(serializer(data=data))


def parameters(serializer: type[BaseSerializer[Any]], params: Mapping[str, str]) -> dict[str, Any]:
    """Return the parameters of a query as the serializer understands them; empty ones are absent.

    Raises:
        ValidationError
    """
    return _understood(serializer(data=given(params)))


def _understood(serializer: BaseSerializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return cast("dict[str, Any]", serializer.validated_data)


def require_no_body(request: Request) -> None:
    """Refuse a body where nothing is asked for.

    Raises:
        UnknownField
    """
    validated(Serializer, request.data or {})


class StrictBodies(GenericAPIView[Any]):
    """A generic view that refuses what its serializer does not write; it stands first."""

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        serializer = super().get_serializer(*args, **kwargs)
        if "data" in kwargs:
            whole = self.request.method == "PUT"
            refuse_unknown_fields(serializer, kwargs["data"], whole=whole)
        return serializer


def caller_id(request: Request) -> UUID:
    """Return the user that the access token names; views behind IsAuthenticated have one."""
    return cast("UUID", request.user.id)


def created(body: Any, location: str) -> Response:
    """Return 201 with the address of what was made."""
    return Response(body, status=201, headers={"Location": location})


def idempotent(request: Request, work: Callable[[], Answer]) -> Response:
    """Answer a request that may be sent again; its Idempotency-Key is kept on the caller's shard.

    The work runs in one transaction with the key, again if a deadlock undid it.

    Args:
        work: does what is asked for; what it raises is answered, and leaves the key free.

    Raises:
        KeyMissing, KeyReused, InProgress, AccountClosed: as in `shop.core.idempotency`.
    """
    key = key_from(request.headers.get("Idempotency-Key"))
    fingerprint = fingerprint_of(request.method, request.path, request.data)
    user_id = caller_id(request)
    answer = retrying(
        lambda: run_once(user_id=user_id, key=key, fingerprint=fingerprint, work=work)
    )
    headers = {}
    if answer.location:
        headers["Location"] = answer.location
    if answer.replayed:
        REPLAYS.inc()
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.body, answer.status, headers=headers)


def idempotent_if_keyed(request: Request, work: Callable[[], Answer]) -> Response:
    """Answer as `idempotent` does if the request has an Idempotency-Key; else just do the work.

    For what has no stock and no money in it: two more statements for whoever asks for them.
    """
    if "Idempotency-Key" in request.headers:
        return idempotent(request, work)
    answer = work()
    headers = {"Location": answer.location} if answer.location else {}
    return Response(answer.body, answer.status, headers=headers)
