"""The staff page of the accounts: found by a claimed name, on two shards; listed when asked to."""

from typing import Any, cast
from unicodedata import normalize
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db.models import QuerySet
from django.http import HttpRequest

from shop.accounts import administration, services
from shop.accounts.models import User
from shop.accounts.selectors import owners_of
from shop.core.admin.base import StaffPage
from shop.core.admin.keyset import EveryShard, KeysetChangeList
from shop.core.roles import Role

admin.site.unregister(Group)  # staff have a role instead


class Newest(EveryShard):
    """The newest accounts, of everybody or of one role."""

    title = "newest, asking every shard"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "Everybody"), *Role.choices]

    def narrow(self, queryset: QuerySet[Any], choice: str) -> QuerySet[Any]:
        return queryset if choice == "all" else queryset.filter(role=choice)


class NewUserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Somebody new, with the password that they are told."""

    password = forms.CharField(
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_username(self) -> str:
        return self._free("username")

    def clean_email(self) -> str:
        return self._free("email")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            profile = {name: value for name, value in cleaned.items() if name != "password"}
            try:
                validate_password(password, User(**profile))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned

    def _free(self, kind: str) -> str:
        name = normalize("NFC", self.cleaned_data[kind])
        if owners_of(**{kind: name}):
            raise forms.ValidationError(f"This {kind} is already taken.", "already_taken")
        return name


@admin.register(User)
class UserPage(StaffPage):
    """Accounts. They are closed, not deleted: deleting is their owner's right alone."""

    list_display = ["username", "email", "role", "is_active", "created_at"]
    list_filter = [Newest]
    search_fields = ["username"]  # any: it makes the search box appear
    search_help_text = (
        "A whole username, e-mail address or id; asks the shard of the name and the user's. "
        "The list at the side asks every shard."
    )
    sortable_by = ()
    fields = ["username", "email", "first_name", "last_name", "role", "is_active"]
    dates = ["created_at", "updated_at"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Keep to the accounts that have exactly this name or id: at most two."""
        if not search_term:
            return queryset, False
        found = owners_of(username=search_term, email=search_term)
        if (user_id := _uuid(search_term)) is not None:
            found = {user_id}
        if len(found) == 1:
            return queryset.filter(id=found.pop()), False
        # Somebody's username is somebody else's address: two accounts on two shards.
        return (queryset.filter(id__in=found).cross_shard() if found else queryset.none()), False  # type: ignore[attr-defined]

    def get_form(
        self, request: HttpRequest, obj: User | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewUserForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return ["username", "email", "password", "first_name", "last_name", "role"]
        return [*self.fields, *self.dates]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Leave names to their owner; nobody changes what they themselves may do."""
        if obj is None:
            return []
        own = ["role", "is_active"] if obj.pk == request.user.pk else []
        return ["username", "email", "first_name", "last_name", *own, *self.dates]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say no: deleting crosses every room of the shop, and belongs to the account's owner."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Claim the names of somebody new; end the tokens of somebody changed."""
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            administration.change_account(
                admin_id=cast("User", request.user).id, user_id=obj.pk, changes=changes
            )
        else:
            obj.__dict__.update(services.register(**form.cleaned_data).__dict__)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
