"""Where one can go from a staff page."""

from typing import Any

from django import template

from shop.core.staff import sections

register = template.Library()


@register.inclusion_tag("staff/links.html", takes_context=True)
def staff_links(context: Any) -> dict[str, Any]:
    """Show the links to the parts of the staff pages that exist and are open to who asks."""
    return {"sections": list(sections(context["request"]))}
