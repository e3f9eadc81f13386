"""The shapes of the account endpoints."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import serializers

from shop.accounts.models import User
from shop.core.fields import NormalEmailField, NormalTextField
from shop.core.roles import Role


class UserSerializer(serializers.ModelSerializer[User]):
    """A user as they see themselves."""

    class Meta:
        model = User
        fields = [
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "role",
            "created_at",
            "updated_at",
        ]


class AccountSerializer(serializers.ModelSerializer[User]):
    """An account as admins see it."""

    class Meta:
        model = User
        fields = [*UserSerializer.Meta.fields, "is_active", "deleted_at"]


class ProfileChangeSerializer(serializers.Serializer[User]):
    """What users change about themselves; what is left out stays."""

    username = NormalTextField(
        min_length=3, max_length=150, validators=[UnicodeUsernameValidator()], required=False
    )
    email = NormalEmailField(max_length=254, required=False)
    first_name = NormalTextField(max_length=150, allow_blank=True, required=False)
    last_name = NormalTextField(max_length=150, allow_blank=True, required=False)


class PasswordChangeSerializer(serializers.Serializer[User]):
    """The password of now, and the one to be."""

    current_password = serializers.CharField(max_length=128, trim_whitespace=False)
    new_password = serializers.CharField(max_length=128, trim_whitespace=False)


class AccountChangeSerializer(serializers.Serializer[User]):
    """What admins change about an account; what is left out stays."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False)


class AccountFilterSerializer(AccountChangeSerializer):
    """Which accounts to list: of a role, active or not, by one of their names."""

    username = serializers.CharField(max_length=150, required=False)
    email = serializers.CharField(max_length=254, required=False)


class RegistrationSerializer(serializers.Serializer[User]):
    """What a new user says of themselves."""

    username = NormalTextField(
        min_length=3, max_length=150, validators=[UnicodeUsernameValidator()]
    )
    email = NormalEmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False)
    first_name = NormalTextField(max_length=150, allow_blank=True, required=False)
    last_name = NormalTextField(max_length=150, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        candidate = User(**{name: value for name, value in attrs.items() if name != "password"})
        try:
            validate_password(attrs["password"], candidate)
        except DjangoValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from None
        return attrs


class LoginSerializer(serializers.Serializer[User]):
    """A password with either of the two names that a user goes by."""

    username = serializers.CharField(max_length=150, required=False)
    email = serializers.CharField(max_length=254, required=False)
    password = serializers.CharField(max_length=128, trim_whitespace=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kinds = [kind for kind in ("username", "email") if kind in attrs]
        if len(kinds) != 1:
            raise serializers.ValidationError("Give either a username or an email.")
        return {"kind": kinds[0], "name": attrs[kinds[0]], "password": attrs["password"]}


class RefreshSerializer(serializers.Serializer[User]):
    """The refresh token to exchange."""

    refresh = serializers.CharField(max_length=2000)
