"""The account endpoints as API clients read them."""

from typing import Any

from rest_framework import serializers

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
from shop.accounts.errors import (
    AccountDeleted,
    IdentityTaken,
    InvalidCredentials,
    InvalidToken,
    OwnAccount,
)
from shop.core.errors import AccountClosed
from shop.core.openapi import TIME_EXAMPLE, UUID_EXAMPLE, Operation, page_of

AUTH = "Authentication"
ME = "My account"
ACCOUNTS = "Accounts"
TAGS = {
    AUTH: "Accounts and tokens. Nothing here needs an access token.",
    ME: "What the caller may see and change of themselves.",
    ACCOUNTS: "Everybody's accounts, for admins.",
}
PROBLEM_MEMBERS = {"already_taken": {"field": "email"}}

USER = {
    "id": UUID_EXAMPLE,
    "username": "ana",
    "email": "ana@example.com",
    "first_name": "Ana",
    "last_name": "Lima",
    "role": "customer",
    "created_at": TIME_EXAMPLE,
    "updated_at": TIME_EXAMPLE,
}
ACCOUNT = {**USER, "is_active": True, "deleted_at": None}
PASSWORD = "correct horse battery staple"  # noqa: S105 - an example
PAIR = {"access": "eyJhbGciOi…", "refresh": "eyJhbGciOi…"}


class PairSerializer(serializers.Serializer[Any]):
    """A pair of tokens: one to ask with, one to get the next pair with."""

    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)


class SessionSerializer(PairSerializer):
    """A pair of tokens, and whose they are."""

    user = UserSerializer(read_only=True)


OPERATIONS = {
    "RegisterView.post": Operation(
        id="auth_register",
        tag=AUTH,
        summary="Create an account",
        description="Usernames and e-mail addresses are unique whatever their case.",
        body=RegistrationSerializer,
        sends={"username": "ana", "email": "ana@example.com", "password": PASSWORD},
        returns=SessionSerializer,
        example={"user": USER, **PAIR},
        status=201,
        errors=(IdentityTaken,),
        located=True,
    ),
    "LoginView.post": Operation(
        id="auth_login",
        tag=AUTH,
        summary="Exchange a name and a password for a pair of tokens",
        description="Give either `username` or `email`. Which of name and password was wrong, "
        "or whether the account exists, is not said.",
        body=LoginSerializer,
        sends={"username": "ana", "password": PASSWORD},
        returns=SessionSerializer,
        example={"user": USER, **PAIR},
        errors=(InvalidCredentials,),
    ),
    "RefreshView.post": Operation(
        id="auth_refresh",
        tag=AUTH,
        summary="Exchange a refresh token for the next pair",
        description="Each refresh token works once. For 30 seconds it is answered again, with a "
        "pair of its own: for a second tab, or when an answer got lost. A later use ends the whole "
        "session.",
        body=RefreshSerializer,
        sends={"refresh": PAIR["refresh"]},
        returns=PairSerializer,
        example=PAIR,
        errors=(InvalidToken,),
    ),
    "LogoutView.post": Operation(
        id="auth_logout",
        tag=AUTH,
        summary="End a session",
        description="No refresh token of this session works any more; access tokens run out by "
        "themselves within minutes.",
        body=RefreshSerializer,
        sends={"refresh": PAIR["refresh"]},
        status=204,
        errors=(InvalidToken,),
    ),
    "MeView.get": Operation(
        id="me_read",
        tag=ME,
        summary="Read one's own account",
        description="As the caller may see it.",
        returns=UserSerializer,
        example=USER,
        errors=(AccountClosed,),
    ),
    "MeView.patch": Operation(
        id="me_update",
        tag=ME,
        summary="Change one's own names and address",
        description="What is left out stays. A new name frees the old one.",
        body=ProfileChangeSerializer,
        sends={"first_name": "Ana Maria"},
        returns=UserSerializer,
        example={**USER, "first_name": "Ana Maria"},
        errors=(IdentityTaken,),
    ),
    "PasswordView.post": Operation(
        id="me_password",
        tag=ME,
        summary="Change one's password",
        description="Ends every session of the account: log in again. A wrong current password "
        "counts like a failed login.",
        body=PasswordChangeSerializer,
        sends={"current_password": PASSWORD, "new_password": "a staple of another battery"},
        status=204,
    ),
    "UserListView.get": Operation(
        id="accounts_list",
        tag=ACCOUNTS,
        summary="Find accounts, the newest first",
        query=AccountFilterSerializer,
        returns=AccountSerializer,
        example=page_of(ACCOUNT, "/api/users/"),
        paged=True,
    ),
    "UserView.get": Operation(
        id="accounts_read",
        tag=ACCOUNTS,
        summary="Read an account",
        returns=AccountSerializer,
        example=ACCOUNT,
    ),
    "UserView.patch": Operation(
        id="accounts_update",
        tag=ACCOUNTS,
        summary="Give an account a role, or close or reopen it",
        body=AccountChangeSerializer,
        sends={"role": "support"},
        returns=AccountSerializer,
        example={**ACCOUNT, "role": "support"},
        errors=(OwnAccount, AccountDeleted),
    ),
}
