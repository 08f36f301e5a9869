"""To whom the invoices of an organization are made out."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from billing.portal._access import Seat, money_page
from billing.portal._details_form import DetailsForm
from billing.portal._pages import render_page
from billing.portal._payers import payer_page
from billing.queries.billing_details import details_fingerprint, values_of, vat_words
from billing.queries.months import local_day
from billing.usecases.change_billing_details import (
    DetailsChangedMeanwhile,
    DetailsRefused,
    UnableToChangeDetails,
    change_billing_details,
)
from organizations.models import BillingProfile
from organizations.roles import RoleRequired


@money_page
@require_http_methods(["GET", "HEAD", "POST"])
@payer_page("billing_details")
def details(request: HttpRequest, seat: Seat) -> HttpResponse:
    """Show the details in the form that changes them."""
    at = timezone.now()
    stored = BillingProfile.objects.filter(organization=seat.organization).first()
    current = {**values_of(stored), "seen": details_fingerprint(stored)}
    form = DetailsForm(request.POST) if request.method == "POST" else DetailsForm(initial=current)
    error = ""
    if request.method == "POST" and form.is_valid():
        try:
            changed = change_billing_details(
                organization_id=seat.organization.pk,
                details=form.values(),
                seen=form.cleaned_data["seen"],
                actor=seat.user,
                at=at,
            )
        except RoleRequired as refused:
            raise Http404 from refused
        except DetailsRefused as refused:
            form.refuse(refused.errors)
        except DetailsChangedMeanwhile as refused:
            error, form = str(refused), DetailsForm(initial=current)
        except UnableToChangeDetails as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved. It counts for invoices that are not issued yet."))
            messages.info(request, vat_words(changed, on=local_day(at)))
            return redirect("portal:billing_details", seat.organization.external_id)
    is_refused = bool(error or form.errors)
    context = {"form": form, "error": error, "vat": vat_words(stored, on=local_day(at))}
    status = 422 if is_refused else 200
    return render_page(request, seat, "portal/billing_details.html", context, current="billing_details", status=status)
