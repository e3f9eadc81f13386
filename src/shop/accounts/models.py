"""Users on their own shard, and their claimed names, each on the shard of the name."""

from typing import Any, ClassVar, Self
from unicodedata import normalize

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.validators import MinLengthValidator
from django.db import models

from sharding.django.models import DistributedModel, M_co, ShardedQuerySet
from sharding.django.placement import Distributed, Placement
from sharding.ids import new_id
from shop.core.models import UserShardedModel
from shop.core.roles import STAFF, Role


class UserQuerySet(ShardedQuerySet[M_co]):
    """Users, each on the shard of their own id."""

    def for_user(self, user_id: object) -> Self:
        """Keep to one user, and so to one shard."""
        return self.for_key(user_id)

    def get_by_natural_key(self, username: str) -> Any:
        """Return the user who claimed this name: two single-shard queries."""
        identity = Identity.objects.for_key(Identity.name_of("username", username)).get()
        return self.for_user(identity.user_id).get()


class User(AbstractBaseUser, DistributedModel):
    """A person who shops or works here."""

    placement: ClassVar[Placement] = Distributed(by="id")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    username = models.CharField(
        max_length=150, validators=[UnicodeUsernameValidator(), MinLengthValidator(3)]
    )
    email = models.EmailField()
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.CUSTOMER)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    last_login = None  # a write on every login, for a column that nothing reads

    objects = UserQuerySet.as_manager()  # type: ignore[misc]

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    def __str__(self) -> str:
        return self.username

    @property
    def is_staff(self) -> bool:
        """Whether any staff path is open to this user."""
        return self.role in STAFF


class Identity(DistributedModel):
    """A username or an e-mail address that somebody has claimed, whatever its case.

    Uniqueness holds only within a shard, so the name itself decides the shard: two claims of one
    name meet in one place, and the second fails there.
    """

    placement: ClassVar[Placement] = Distributed(by="value")

    value = models.TextField(primary_key=True)
    user_id = models.UUIDField()

    def __str__(self) -> str:
        return self.value

    @staticmethod
    def name_of(kind: str, text: str) -> str:
        """Return the claimed form, e.g. ``email:ana@example.com``."""
        return f"{kind}:{normalize('NFKC', text).casefold()}"


class RefreshToken(UserShardedModel):
    """One refresh token of a family; using it retires it and gives the family its next one."""

    family_id = models.UUIDField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user_id", "family_id"], name="refresh_token_family")]

    def __str__(self) -> str:
        return str(self.id)
