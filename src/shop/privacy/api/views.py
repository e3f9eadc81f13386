"""One's own account with all that belongs to it: to take along, and to delete."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.accounts.api.views import MeView as AccountView
from shop.core.addresses import client_address
from shop.core.api import caller_id, validated
from shop.core.throttling import spend
from shop.privacy import selectors, services
from shop.privacy.api.serializers import DeletionSerializer


class MeView(AccountView):
    """The caller's own account; a DELETE forgets them in every room."""

    def delete(self, request: Request) -> Response:
        services.delete_account(
            user_id=caller_id(request),
            address=client_address(request),
            **validated(DeletionSerializer, request.data),
        )
        return Response(status=204)


class ExportView(APIView):
    """All that is known of the caller, as a file."""

    def get(self, request: Request) -> Response:
        spend("export", str(caller_id(request)))
        headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
        return Response(selectors.everything_of(caller_id(request)), headers=headers)
