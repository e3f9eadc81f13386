"""Registration, login and tokens; one's own account; the accounts as admins see them."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import generics
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.accounts import administration, selectors, services, tokens
from shop.accounts.api.serializers import (
    AccountChangeSerializer,
    AccountFilterSerializer,
    AccountSerializer,
    LoginSerializer,
    PasswordChangeSerializer,
    ProfileChangeSerializer,
    RefreshSerializer,
    RegistrationSerializer,
    UserSerializer,
)
from shop.accounts.models import User
from shop.core.addresses import client_address
from shop.core.api import caller_id, created, parameters, validated
from shop.core.conditional import require_match
from shop.core.permissions import UserAdmin


class RegisterView(APIView):
    """Create an account; the answer carries its first pair of tokens."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        fields = validated(RegistrationSerializer, request.data)
        user, pair = services.sign_up(address=client_address(request), **fields)
        return created({"user": UserSerializer(user).data, **pair._asdict()}, "/api/users/me/")


class LoginView(APIView):
    """Exchange a name and a password for a pair of tokens."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        given = validated(LoginSerializer, request.data)
        user, pair = services.login(address=client_address(request), **given)
        return Response({"user": UserSerializer(user).data, **pair._asdict()})


class RefreshView(APIView):
    """Exchange a refresh token for the next pair; each works once, and for a moment more."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        return Response(tokens.rotate(**validated(RefreshSerializer, request.data))._asdict())


class LogoutView(APIView):
    """End the family of a refresh token. Its access tokens expire within 15 minutes."""

    permission_classes = [AllowAny]  # whoever has the refresh token may end it

    def post(self, request: Request) -> Response:
        tokens.end_family(**validated(RefreshSerializer, request.data))
        return Response(status=204)


class MeView(APIView):
    """The caller's own account. Deleting it crosses all rooms: see shop.privacy."""

    if_match = ("PATCH",)

    def get(self, request: Request) -> Response:
        return Response(UserSerializer(selectors.active_user(caller_id(request))).data)

    def patch(self, request: Request) -> Response:
        user = services.change_profile(
            user_id=caller_id(request),
            changes=validated(ProfileChangeSerializer, request.data),
            check=lambda user: require_match(request, UserSerializer(user).data),
            address=client_address(request),
        )
        return Response(UserSerializer(user).data)


class PasswordView(APIView):
    """Change the caller's password; they log in again everywhere."""

    def post(self, request: Request) -> Response:
        services.change_password(
            user_id=caller_id(request),
            address=client_address(request),
            **validated(PasswordChangeSerializer, request.data),
        )
        return Response(status=204)


class UserListView(generics.ListAPIView[User]):
    """All accounts, the newest first, for admins."""

    permission_classes = [UserAdmin]
    serializer_class = AccountSerializer
    query_serializer = AccountFilterSerializer

    def get_queryset(self) -> QuerySet[User]:
        query = self.request.query_params.dict()
        return selectors.users_for_staff(**parameters(self.query_serializer, query))

    def get_ordering(self) -> tuple[str, ...]:
        return ("-id",)  # a UUIDv7 begins with its time


class UserView(APIView):
    """One account, for admins."""

    permission_classes = [UserAdmin]

    def get(self, request: Request, user_id: UUID) -> Response:
        return Response(AccountSerializer(selectors.user_of(user_id)).data)

    def patch(self, request: Request, user_id: UUID) -> Response:
        changes: dict[str, Any] = validated(AccountChangeSerializer, request.data)
        user = administration.change_account(
            admin_id=caller_id(request), user_id=user_id, changes=changes
        )
        return Response(AccountSerializer(user).data)
