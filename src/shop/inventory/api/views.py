"""A product's stock, for staff."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.catalog.selectors import product_of
from shop.core.api import idempotent, validated
from shop.core.idempotency import Answer
from shop.core.permissions import CatalogWriter
from shop.inventory import services
from shop.inventory.api.serializers import AdjustmentSerializer
from shop.inventory.selectors import available


class StockView(APIView):
    """What is on the shelf, and what comes to it."""

    permission_classes = [CatalogWriter]

    def get(self, request: Request, product_id: int) -> Response:
        product = product_of(product_id)
        return Response(
            {
                "product_id": product.id,
                "available": available(product.id),
                "track_inventory": product.track_inventory,
            }
        )

    def post(self, request: Request, product_id: int) -> Response:
        wanted = validated(AdjustmentSerializer, request.data)

        def work() -> Answer:
            product = product_of(product_id)
            left = services.adjust(product_id=product.id, **wanted)
            shelf = {
                "product_id": product.id,
                "available": left,
                "track_inventory": product.track_inventory,
            }
            return Answer(201, shelf, request.path)

        return idempotent(request, work)
