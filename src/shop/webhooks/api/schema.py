"""The webhook endpoints as API clients read them."""

from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of
from shop.webhooks.api.serializers import (
    DeliverySerializer,
    EndpointSerializer,
    NewEndpointSerializer,
)
from shop.webhooks.errors import EndpointGone, UnsafeAddress

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
