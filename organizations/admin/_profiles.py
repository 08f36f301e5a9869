"""The billing profile, edited on the page of its organization."""

from organizations.admin._unfold import StackedInline
from organizations.models import BillingProfile, Organization


class BillingProfileInline(StackedInline[BillingProfile, Organization]):
    """May be left incomplete: the close of the month then says what is missing."""

    model = BillingProfile
    can_delete = False
    show_title = False
    fieldsets = [
        (
            None,
            {"fields": [("is_company", "language"), ("company", "name"), "address", ("postcode", "city"), "country"]},
        ),
        (None, {"fields": [("vat_number", "siren"), "email", ("purchase_order", "cost_center")]}),
        (None, {"fields": [("electronic_address", "electronic_scheme"), "requires_e_invoice"]}),
    ]
