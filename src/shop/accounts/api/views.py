"""Registration, login and token refresh."""

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from shop.accounts import services, tokens
from shop.accounts.api.serializers import (
    LoginSerializer,
    RefreshSerializer,
    RegistrationSerializer,
    UserSerializer,
)
from shop.core.api import validated


class RegisterView(APIView):
    """Create an account; the answer carries its first pair of tokens."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        user = services.register(**validated(RegistrationSerializer, request.data))
        body = {"user": UserSerializer(user).data, **tokens.issue(user)._asdict()}
        return Response(body, status=201)


class LoginView(APIView):
    """Exchange a name and a password for a pair of tokens."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        user, pair = services.login(**validated(LoginSerializer, request.data))
        return Response({"user": UserSerializer(user).data, **pair._asdict()})


class RefreshView(APIView):
    """Exchange a refresh token for the next pair; each works once."""

    permission_classes = [AllowAny]

    def post(self, request: Request) -> Response:
        return Response(tokens.rotate(**validated(RefreshSerializer, request.data))._asdict())
