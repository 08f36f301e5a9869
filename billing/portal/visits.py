"""The end of a visit of staff, see `organizations.sign_in.visits`; the desk begins it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from organizations.models import Organization
from organizations.sign_in.visits import end_visit as leave


@require_POST
@login_required
def end_visit(request: HttpRequest) -> HttpResponse:
    """Go back to the organization's page of the desk; without a visit, to the first page."""
    visit = leave(request)
    organization = Organization.objects.filter(external_id=visit.organization).first() if visit else None
    if organization is None or not request.user.is_staff:
        return redirect("portal:home")
    return redirect("admin:organizations_organization_change", organization.pk)
