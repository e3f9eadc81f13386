"""Webhooks in the hands of admins."""

from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.core.api import created, require_no_body, validated
from shop.core.permissions import WebhookAdmin
from shop.webhooks import selectors, services
from shop.webhooks.api.serializers import (
    DeliverySerializer,
    EndpointSerializer,
    NewEndpointSerializer,
)
from shop.webhooks.models import WebhookDelivery, WebhookEndpoint


class EndpointListView(generics.ListAPIView[WebhookEndpoint]):
    """All endpoints; a POST adds one."""

    permission_classes = [WebhookAdmin]
    serializer_class = EndpointSerializer
    queryset = WebhookEndpoint.objects.all()

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)

    def post(self, request: Request) -> Response:
        endpoint = services.create_endpoint(**validated(EndpointSerializer, request.data))
        return created(NewEndpointSerializer(endpoint).data, f"{request.path}{endpoint.id}/")


class EndpointView(APIView):
    """One endpoint."""

    permission_classes = [WebhookAdmin]

    def get(self, request: Request, endpoint_id: int) -> Response:
        return Response(EndpointSerializer(selectors.endpoint_of(endpoint_id)).data)

    def patch(self, request: Request, endpoint_id: int) -> Response:
        wanted = validated(EndpointSerializer, request.data, partial=True)
        endpoint = services.update_endpoint(endpoint_id, **wanted)
        return Response(EndpointSerializer(endpoint).data)

    def delete(self, request: Request, endpoint_id: int) -> Response:
        services.delete_endpoint(endpoint_id)
        return Response(status=204)


class DeliveryListView(generics.ListAPIView[WebhookDelivery]):
    """What an endpoint was told, the newest first."""

    permission_classes = [WebhookAdmin]
    serializer_class = DeliverySerializer

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        return selectors.deliveries_of(self.kwargs["endpoint_id"])

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)


class ReplayView(APIView):
    """Sending a delivery once more."""

    permission_classes = [WebhookAdmin]

    def post(
        self, request: Request, endpoint_id: int, user_id: UUID, delivery_id: UUID
    ) -> Response:
        require_no_body(request)
        delivery = services.replay(
            endpoint_id=endpoint_id, user_id=user_id, delivery_id=delivery_id
        )
        return Response(DeliverySerializer(delivery).data, status=202)
