"""What every page of an organization has around it: the organizations to switch between, the tabs, who is looking."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from billing.portal._access import Seat
from billing.portal._navigation import tabs
from organizations.models import Membership

SWITCHED_BETWEEN = 12


def render_page(
    request: HttpRequest,
    seat: Seat,
    template: str,
    context: Mapping[str, Any],
    *,
    current: str = "",
    status: int = 200,
) -> HttpResponse:
    """Answer with a page that extends portal/base.html; `current` is the tab that it belongs to."""
    around = {
        "seat": seat,
        "organization": seat.organization,
        "tabs": tabs(request, seat, current=current),
        "memberships": [] if seat.visit else list(memberships_of(seat.user.pk)[: SWITCHED_BETWEEN + 1]),
    }
    return render(request, template, {**around, **context}, status=status)


def memberships_of(user_id: int | None) -> QuerySet[Membership]:
    """The organizations that a person belongs to, with the role in each, by name."""
    return Membership.objects.filter(user=user_id).select_related("organization").order_by("organization__name", "id")
