"""The staff pages of webhooks: where merchants want to be told, and what they were told."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from shop.core.admin.base import StaffPage
from shop.core.admin.desk import Acting, Action, Column, Desk, Rows, register
from shop.core.errors import NotFound
from shop.webhooks import services
from shop.webhooks.models import TOPICS, WebhookDelivery, WebhookEndpoint
from shop.webhooks.selectors import deliveries_of


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]
    """An address, and what it hears of."""

    topics = forms.MultipleChoiceField(
        choices=[(topic, topic) for topic in TOPICS], widget=forms.CheckboxSelectMultiple
    )


@admin.register(WebhookEndpoint)
class EndpointPage(StaffPage):
    """Addresses that hear of orders. A secret is shown once, when it is made."""

    form = EndpointForm
    list_display = ["url", "topics", "is_active", "created_at"]
    fields = ["url", "topics", "description", "is_active"]
    readonly_fields = ["deliveries", "created_at", "updated_at"]
    ordering = ["-id"]

    def get_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        return [*self.fields, *(self.readonly_fields if obj else [])]

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool
    ) -> None:
        """Write through the services, which look at the address."""
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            services.update_endpoint(obj.pk, **changes)
            return
        obj.__dict__.update(services.create_endpoint(**form.cleaned_data).__dict__)
        self.message_user(
            request,
            f"Its secret, shown now and never again: {obj.secret}",
            messages.WARNING,
        )

    def delete_model(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        """Forget it; what it was told stays recorded."""
        services.delete_endpoint(obj.pk)

    @admin.display(description="deliveries")
    def deliveries(self, endpoint: WebhookEndpoint) -> SafeString:
        """Return the way to what it was told."""
        return format_html('<a href="{}?q={}">What it was told</a>', DESK.list_url(), endpoint.pk)


def _replay(delivery: WebhookDelivery, acting: Acting) -> str:
    services.replay(
        endpoint_id=delivery.endpoint_id, user_id=delivery.user_id, delivery_id=delivery.id
    )
    return "It is sent again, with all its attempts anew."


class DeliveryDesk(Desk):
    """Events on their way to the endpoints."""

    model = WebhookDelivery
    plural = "Webhook deliveries"
    search_help = "An endpoint's id: what it was told, asked of every shard."
    choices = (("all", "All"), *WebhookDelivery.Status.choices)
    columns = (
        Column("Delivery", lambda delivery: delivery.id),
        Column("Topic", lambda delivery: delivery.topic),
        Column("Endpoint", lambda delivery: delivery.endpoint_id),
        Column("Status", lambda delivery: delivery.get_status_display()),
        Column("Attempts", lambda delivery: len(delivery.attempts)),
        Column("Recorded", lambda delivery: delivery.created_at),
        Column("Due", lambda delivery: delivery.due_at or "–"),
    )
    actions = (Action("replay", "Send it again", _replay),)
    template = "admin/webhooks/delivery.html"

    def find(self, term: str) -> Rows:
        if not (term.isascii() and term.isdecimal() and len(term) < 19):
            return []
        try:
            return deliveries_of(int(term))
        except NotFound:
            return []

    def chosen(self, choice: str) -> Rows:
        deliveries: QuerySet[WebhookDelivery] = WebhookDelivery.objects.cross_shard()
        return deliveries if choice == "all" else deliveries.filter(status=choice)

    def keys(self, row: WebhookDelivery) -> tuple[UUID, UUID]:
        return row.user_id, row.id

    def row(self, shard_key: str, row_id: UUID) -> WebhookDelivery:
        own = WebhookDelivery.objects.for_user(UUID(shard_key)).filter(id=row_id).first()
        if own is None:
            raise NotFound("There is no such delivery.")
        return own

    def context(self, row: WebhookDelivery) -> dict[str, Any]:
        return {"endpoint": WebhookEndpoint.objects.filter(id=row.endpoint_id).first()}


DESK = DeliveryDesk()
register(DESK)
