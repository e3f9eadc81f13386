"""What a client says is not dropped unheard: what an operation does not know, it refuses by name.

Unknown fields of a body are refused everywhere; unknown parameters of a query where the caller is
known. Whoever reads what is open to everybody may come with the parameters of trackers.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer

from shop.core.errors import DomainError


class _Unknown(DomainError):
    """Something is named that this operation does not take; `errors` has each name."""

    noun: str

    def __init__(self, names: Iterable[str]) -> None:
        sentence = f"This operation takes no such {self.noun}."
        errors = [{"field": name, "code": self.code, "detail": sentence} for name in names]
        super().__init__(f"{sentence} `errors` names it.", errors=errors)


class UnknownField(_Unknown):
    """The body has a field that the operation does not take; `errors` names each."""

    code = "unknown_field"
    noun = "field"


class UnknownParameter(_Unknown):
    """The query has a parameter that the operation does not take; `errors` names each."""

    code = "unknown_parameter"
    noun = "parameter"


def refuse_unknown_fields(serializer: BaseSerializer[Any], data: Any, *, whole: bool) -> None:
    """Compare a body with what its serializer writes.

    Args:
        whole: whether the body is the whole of a resource, as a PUT's: what a GET shows besides may
            come back with it, and is not read.

    Raises:
        UnknownField
    """
    if unknown := list(_unknown(serializer, data, whole=whole)):
        raise UnknownField(unknown)


def refuse_unknown_parameters(request: Request, known: Iterable[str] = ()) -> None:
    """Compare a query with the parameters that the operation takes.

    Raises:
        UnknownParameter
    """
    if unknown := sorted(request.query_params.keys() - set(known)):
        raise UnknownParameter(unknown)


def given(params: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that say something: a form sends its empty fields too."""
    return {name: value for name, value in params.items() if value.strip()}


def _unknown(field: Any, data: Any, *, whole: bool, path: str = "") -> Iterator[str]:
    if isinstance(field, ListSerializer) and isinstance(data, list):
        for index, item in enumerate(data):
            yield from _unknown(field.child, item, whole=whole, path=f"{path}{index}.")
    if not (isinstance(field, Serializer) and isinstance(data, Mapping)):
        return
    for name, value in data.items():
        inner = field.fields.get(name)
        if inner is None or (inner.read_only and not whole):
            yield f"{path}{name}"
        else:
            yield from _unknown(inner, value, whole=whole, path=f"{path}{name}.")
