"""The shape of the request to be forgotten."""

from rest_framework import serializers

from shop.accounts.models import User


class DeletionSerializer(serializers.Serializer[User]):
    """The caller's password: a stolen access token alone deletes nothing."""

    password = serializers.CharField(max_length=128, trim_whitespace=False)
