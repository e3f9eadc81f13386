"""The webhook endpoints as API clients read them, and what the endpoints are told."""

from typing import Any

from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of
from shop.orders.models import Order
from shop.webhooks.api.serializers import (
    DeliverySerializer,
    EndpointSerializer,
    NewEndpointSerializer,
)
from shop.webhooks.errors import EndpointGone, UnsafeAddress
from shop.webhooks.models import TOPICS

WEBHOOKS = "Webhooks"
TAGS = {
    WEBHOOKS: """\
Addresses of merchants that are told what becomes of orders. Each event is posted as JSON
`{id, type, created_at, data}` with `Webhook-Id`, `Webhook-Topic` and `Webhook-Signature:
t=<unix seconds>,v1=<hex>`, the HMAC-SHA256, under the endpoint's secret, of `t`, a full stop, and
the bytes of the body. Any 2xx takes it; else it is sent again for 22 hours. It may come twice, and
before one that happened earlier."""
}

WANTED = {
    "url": "https://merchant.example/events",
    "topics": ["order.paid", "order.cancelled"],
    "description": "The warehouse",
}
ENDPOINT = {
    "id": 4,
    **WANTED,
    "is_active": True,
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
DELIVERY = {
    "id": UUID_EXAMPLE,
    "user_id": UUID_EXAMPLE,
    "event_id": UUID_EXAMPLE,
    "topic": "order.paid",
    "status": "delivered",
    "due_at": None,
    "attempts": [{"at": TIME_EXAMPLE, "status": 204, "ms": 83, "error": ""}],
    "created_at": TIME_EXAMPLE,
}

EVENT = {
    "id": UUID_EXAMPLE,
    "type": "order.paid",
    "created_at": "2026-03-01T09:30:00.000000+00:00",
    "data": {
        "order_id": UUID_EXAMPLE,
        "user_id": UUID_EXAMPLE,
        "order_status": "paid",
        "total_amount": "39.80",
        "currency": "EUR",
        "items": [{"product_id": 17, "quantity": 2, "price": "19.90"}],
    },
}
_TEXT, _NUMBER = {"type": "string"}, {"type": "integer"}
_MONEY = {
    "type": "string",
    "format": "decimal",
    "pattern": r"^[0-9]+\.[0-9]{2}$",
    "examples": ["19.90"],
}
_UUID = {"type": "string", "format": "uuid"}


def _record(description: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "required": list(properties),
        "properties": properties,
    }


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS = {
    "OutgoingEvent": _record(
        "What an endpoint is told; what comes later may have more members.",
        id={**_UUID, "description": "Of the event: it may come twice."},
        type={"type": "string", "enum": list(TOPICS)},
        created_at={"type": "string", "format": "date-time"},
        data=_reference("OutgoingOrder"),
    ),
    "OutgoingOrder": _record(
        "The order that an event is about, as it was when the event was told.",
        order_id=_UUID,
        user_id=_UUID,
        order_status={"type": "string", "enum": [status.value for status in Order.Status]},
        total_amount=_MONEY,
        currency={"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]},
        items={"type": "array", "items": _reference("OutgoingLine")},
    ),
    "OutgoingLine": _record(
        "A line of the order.", product_id=_NUMBER, quantity=_NUMBER, price=_MONEY
    ),
}


def _header(name: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": description,
        "schema": _TEXT,
    }


def _told(topic: str) -> dict[str, Any]:
    """Return the request that tells an endpoint of a topic."""
    content = {"schema": _reference("OutgoingEvent"), "example": {**EVENT, "type": topic}}
    return {
        "post": {
            "operationId": f"tell_{topic.replace('.', '_')}",
            "tags": [WEBHOOKS],
            "summary": f"Tell that an {topic.replace('.', ' was ')}",
            "description": "Sent to every endpoint that hears of this topic. Check the signature "
            "before anything else, and keep the id: an event may come twice.",
            "security": [],
            "parameters": [
                _header("Webhook-Id", "The event's id."),
                _header("Webhook-Topic", "The event's type."),
                _header("Webhook-Signature", "`t=<unix seconds>,v1=<hex>`, as the chapter says."),
            ],
            "requestBody": {"required": True, "content": {"application/json": content}},
            "responses": {
                "2XX": {"description": "Taken."},
                "default": {"description": "Not taken: it is sent again, for 22 hours."},
            },
        }
    }


OUTGOING = {topic: _told(topic) for topic in TOPICS}

OPERATIONS = {
    "EndpointListView.get": Operation(
        id="webhooks_list",
        tag=WEBHOOKS,
        summary="List the endpoints, the newest first",
        returns=EndpointSerializer,
        example=page_of(ENDPOINT, "/api/staff/webhooks/"),
        paged=True,
    ),
    "EndpointListView.post": Operation(
        id="webhooks_create",
        tag=WEBHOOKS,
        summary="Add an endpoint",
        description="The answer shows its secret, once. The address has to be public and https.",
        body=EndpointSerializer,
        sends=WANTED,
        returns=NewEndpointSerializer,
        example={**ENDPOINT, "secret": "whsec_…"},
        status=201,
        errors=(UnsafeAddress,),
        located=True,
    ),
    "EndpointView.get": Operation(
        id="webhooks_read",
        tag=WEBHOOKS,
        summary="Read an endpoint",
        returns=EndpointSerializer,
        example=ENDPOINT,
    ),
    "EndpointView.patch": Operation(
        id="webhooks_update",
        tag=WEBHOOKS,
        summary="Change an endpoint, or switch it off",
        body=EndpointSerializer,
        sends={"is_active": False},
        returns=EndpointSerializer,
        example={**ENDPOINT, "is_active": False},
        errors=(UnsafeAddress,),
    ),
    "EndpointView.delete": Operation(
        id="webhooks_delete",
        tag=WEBHOOKS,
        summary="Remove an endpoint; what it was told stays recorded for 30 days",
        status=204,
    ),
    "DeliveryListView.get": Operation(
        id="webhooks_deliveries_list",
        tag=WEBHOOKS,
        summary="List what an endpoint was told, the newest first",
        returns=DeliverySerializer,
        example=page_of(DELIVERY, "/api/staff/webhooks/4/deliveries/"),
        paged=True,
    ),
    "ReplayView.post": Operation(
        id="webhooks_deliveries_replay",
        tag=WEBHOOKS,
        summary="Send a delivery once more",
        returns=DeliverySerializer,
        example={**DELIVERY, "status": "pending", "due_at": TIME_EXAMPLE},
        status=202,
        errors=(EndpointGone,),
    ),
}
