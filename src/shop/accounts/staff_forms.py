"""The login of the staff pages, and the change of one's own password there."""

from typing import Any, cast

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import HttpResponse, HttpResponseRedirect

from shop.accounts import services
from shop.accounts.models import User
from shop.accounts.selectors import user_of
from shop.core.addresses import client_address
from shop.core.errors import DomainError
from shop.core.throttling import Throttled

# What the service calls the fields of the form.
FIELDS = {"current_password": "old_password", "new_password": "new_password2"}


class StaffLoginForm(AdminAuthenticationForm):
    """A username or an e-mail address, and a password; `StaffBackend` counts wrong ones."""

    throttled: Throttled | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "Username or e-mail"

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean() or {}
        except Throttled as error:
            self.throttled = error
            raise ValidationError(error.detail, code=error.code) from None


class StaffPasswordForm(AdminPasswordChangeForm):
    """The old password and, twice, a new one."""

    def clean_old_password(self) -> str:
        """Leave it to the service, which counts wrong ones."""
        return str(self.cleaned_data["old_password"])


class StaffPasswordView(PasswordChangeView):
    """Changes the password as the API does: wrong ones are counted, all refresh tokens end."""

    form_class = StaffPasswordForm

    def form_valid(self, form: Any) -> HttpResponse:
        user_id = cast("User", self.request.user).id
        try:
            services.change_password(
                user_id=user_id,
                current_password=form.cleaned_data["old_password"],
                new_password=form.cleaned_data["new_password1"],
                address=client_address(self.request),
            )
        except DomainError as error:
            for reason in error.extra.get("errors", [{"field": "", "detail": error.detail}]):
                form.add_error(FIELDS.get(reason["field"], "old_password"), reason["detail"])
            return self.form_invalid(form)
        update_session_auth_hash(self.request, user_of(user_id))
        return HttpResponseRedirect(self.get_success_url())
