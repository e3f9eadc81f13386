"""The staff page that imports an export: uploaded, looked at, and then loaded by a worker."""

from collections.abc import Callable, Iterator
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.datastructures import MultiValueDict
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from shop.catalog.shopify_file import UTF_8, NotShopify
from shop.core import broker
from shop.core.admin.desk import Desk
from shop.core.admin.log import note
from shop.inventory import uploads
from shop.inventory.models import Shelf

REFRESH = "2"  # seconds between two looks at an import that runs
ENCODINGS = ((UTF_8, "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16"))
DELIMITERS = ((",", "commas"), (";", "semicolons"), ("\t", "tabs"))
DECIMALS = ((".", "a point: 19.90"), (",", "a comma: 19,90"))


class InMemory(MemoryFileUploadHandler):
    """Keeps a file in memory, whatever its size: BodyLimit bounds it."""

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = True


class OptionsForm(forms.Form):
    """How the file is read, and what is done beside."""

    encoding = forms.ChoiceField(choices=ENCODINGS)
    delimiter = forms.ChoiceField(choices=DELIMITERS, label="Columns are separated by")
    decimal = forms.ChoiceField(choices=DECIMALS, label="Before the cents stands")
    archive_removed = forms.BooleanField(
        required=False, label="Archive variants that the file no longer has"
    )
    adopt = forms.BooleanField(
        required=False, label="Take over products of earlier imports by their slug"
    )


class UploadForm(OptionsForm):
    """The export itself."""

    field_order = ("file",)
    file = forms.FileField(label="Shopify's product CSV")


class ImportPage(Desk):
    """A page of one form, among the pages of the inventory."""

    model = Shelf
    plural = "Import from Shopify"

    @property
    def name(self) -> str:
        return "import"

    def may(self, request: HttpRequest, verb: str) -> bool:
        """Tell whether who asks may write products and stock; there is nothing else to see."""
        needed = ("catalog.change_product", "inventory.change_shelf")
        return all(request.user.has_perm(permission) for permission in needed)

    def urls(self, wrap: Callable[[Any], Any]) -> Iterator[Any]:
        def view(request: HttpRequest) -> HttpResponse:
            request.upload_handlers = [InMemory(request)]
            return csrf_protect(self.view)(request)

        # The check reads the body, and that needs the handler first: it is made inside.
        yield path(
            f"{self.label}/import/", wrap(csrf_exempt(view)), name=f"{self.label}_import_list"
        )

    def view(self, request: HttpRequest) -> HttpResponse:
        """Show the form, what an import would do, or how it goes."""
        self._require(request, "change")
        if request.method == "POST":
            return self._load(request) if "key" in request.POST else self._preview(request)
        if key := request.GET.get("key", ""):
            return self._outcome(request, key)
        return self._shown(request, form=UploadForm())

    def _preview(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request.POST, cast("MultiValueDict[str, Any]", request.FILES))
        if not form.is_valid():
            return self._shown(request, form=form)
        data = form.cleaned_data.pop("file").read()
        options = cast("uploads.Options", form.cleaned_data)
        try:
            told = uploads.preview(data, options)
        except NotShopify as error:
            form.add_error("file", f"This is no Shopify product export: {error}.")
            return self._shown(request, form=form)
        return self._shown(request, told=told, key=uploads.keep(data, options), is_preview=True)

    def _load(self, request: HttpRequest) -> HttpResponse:
        key = request.POST["key"]
        here = reverse(f"admin:{self.label}_import_list")
        if not uploads.begin(key):
            messages.error(request, "This upload is not kept any more. Choose the file again.")
            return HttpResponseRedirect(here)
        try:
            broker.send("inventory.load_export", {"key": key})
        except broker.BROKER_ERRORS:
            messages.error(request, "No worker can be reached right now. Try again later.")
            return HttpResponseRedirect(here)
        note(request, self.model, "import", "Import from Shopify", "Imported products.")
        return HttpResponseRedirect(f"{here}?key={key}")

    def _outcome(self, request: HttpRequest, key: str) -> HttpResponse:
        told = uploads.outcome(key)
        if told is None:
            messages.error(request, "Nobody remembers this import. Look at the products.")
            return HttpResponseRedirect(reverse(f"admin:{self.label}_import_list"))
        response = self._shown(request, told=told)
        if told["is_running"]:
            response["Refresh"] = REFRESH
        return response

    def _shown(self, request: HttpRequest, **values: Any) -> HttpResponse:
        return self._render(
            request, "admin/inventory/import.html", {"title": self.plural, **values}
        )
