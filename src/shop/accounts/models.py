"""Users on their own shard, and their claimed names, each on the shard of the name."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.validators import MinLengthValidator
from django.db import models

from sharding.django.models import DistributedModel, M_co, ShardedQuerySet
from sharding.django.placement import Distributed, Placement
from sharding.ids import new_id
from shop.accounts.spelling import normal_form
from shop.core.models import UserShardedModel
from shop.core.roles import STAFF, Role, may, may_enter


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
    deleted_at = models.DateTimeField(null=True, editable=False)  # by the user, for good

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

    def has_perm(self, permission: str, obj: object = None) -> bool:
        """Tell whether a staff page may do this, by the role alone."""
        return self.is_active and may(self.role, permission)

    def has_module_perms(self, app_label: str) -> bool:
        """Tell whether any staff page of an app is open to this user."""
        return self.is_active and may_enter(self.role, app_label)

    def get_full_name(self) -> str:
        """Return what Django's pages call somebody by, empty if they gave no name."""
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        """Return what Django's pages greet somebody with."""
        return self.first_name or self.username


class Identity(DistributedModel):
    """A username or an e-mail address that somebody has claimed, in its normal form.

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
        return f"{kind}:{normal_form(text)}"


class Mark(DistributedModel):
    """What the ids of a user's orders and payments end with (`sharding.ids.new_id_of`).

    The mark itself decides the shard: who has such an id alone finds whose it is, and so its shard.
    """

    placement: ClassVar[Placement] = Distributed(by="value", colocate_with="accounts.Identity")

    value = models.TextField(primary_key=True)
    user_id = models.UUIDField()

    def __str__(self) -> str:
        return self.value


class RefreshToken(UserShardedModel):
    """One refresh token of a family; using it retires it and gives the family its next one."""

    family_id = models.UUIDField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["user_id", "family_id"], name="refresh_token_family")]

    def __str__(self) -> str:
        return str(self.id)

    @staticmethod
    def expired(now: datetime) -> models.Q:
        """Return what finds the rows that `manage.py purge_expired` removes."""
        return models.Q(expires_at__lte=now)
