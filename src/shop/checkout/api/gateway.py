"""Where the payment gateway tells what became of payments."""

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.checkout.api.serializers import EventSerializer
from shop.checkout.webhook import receive
from shop.core.api import told
from shop.core.db import retrying
from shop.payments.signatures import verify


class Gateway:
    """The caller whose signature is good."""

    id = None
    role = None
    is_authenticated = True


class GatewaySignature(BaseAuthentication):
    """The Webhook-Signature header; without settings.PAYMENT_WEBHOOK_SECRET nobody gets in."""

    def authenticate(self, request: Request) -> tuple[Gateway, None]:
        verify(
            request.body,
            header=request.headers.get("Webhook-Signature", ""),
            secret=settings.PAYMENT_WEBHOOK_SECRET,
            tolerance=settings.PAYMENT_WEBHOOK_TOLERANCE,
        )
        return Gateway(), None


class WebhookView(APIView):
    """Events of the payment gateway. One that is told again is answered, and changes nothing."""

    authentication_classes = [GatewaySignature]

    def post(self, request: Request) -> Response:
        event = told(EventSerializer, request.data)
        new = retrying(lambda: receive(event_id=event["id"], kind=event["type"], **event["data"]))
        return Response({"id": event["id"], "new": new})
