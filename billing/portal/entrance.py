"""The first page: to the only organization, to a choice of several, or to the finance desk."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.portal._access import Seat, member_page
from billing.portal._pages import memberships_of, render_page
from organizations.models import Membership, Organization
from organizations.roles import MONEY_ROLES
from organizations.sign_in.visits import current_visit, end_visit

ORGANIZATIONS_PER_PAGE = 50


@never_cache
@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Lead to the organization, or let choose; staff who belong to none go to their desk."""
    user = request.user
    if visit := current_visit(request):
        if Organization.objects.filter(external_id=visit.organization).exists():
            return redirect("portal:organization", visit.organization)
        end_visit(request)  # it has another identifier since: there is no page left that ends the visit
    memberships = memberships_of(user.pk)
    first = list(memberships[:2])
    if len(first) == 1:
        return redirect("portal:organization", first[0].organization.external_id)
    if not first and user.is_staff:
        return redirect("admin:index")
    page = Paginator(memberships, ORGANIZATIONS_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "portal/choose.html", {"page": page})


@member_page
@require_safe
def organization(request: HttpRequest, seat: Seat) -> HttpResponse:
    """The invoices, for those who may see them; who that is, for the others."""
    if seat.sees_money:
        return redirect("portal:invoices", seat.organization.external_id)
    who = Membership.objects.filter(organization=seat.organization, role__in=MONEY_ROLES, user__is_active=True)
    people = who.select_related("user").order_by("user__email", "id")[:ORGANIZATIONS_PER_PAGE]
    return render_page(request, seat, "portal/no_money.html", {"people": people, "seat_role": seat.role_name})
