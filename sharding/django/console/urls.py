from collections.abc import Callable
from typing import Any, TypeAlias

from django.urls import URLPattern, path

from sharding.django.console.views import ConsoleView, Overview, Picture, ShardPage

Guard: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def console(*, access: Guard, frame: str = ConsoleView.frame) -> tuple[list[URLPattern], str]:
    """Return what `include()` takes: the pages, each behind the project's own guard.

    Args:
        access: decorates each view; it decides who may look.
        frame: the template around the pages, with the blocks title, head, main and scripts.
    """
    pages = [
        path("", access(Overview.as_view(frame=frame)), name="overview"),
        path("picture/", access(Picture.as_view(frame=frame)), name="picture"),
        path("<int:shard>/", access(ShardPage.as_view(frame=frame)), name="shard"),
    ]
    return pages, "shards"
