"""Who belongs to an organization, edited on its page and shown on the person's."""

from organizations.admin._unfold import TabularInline
from organizations.models import Membership, Organization, User


class MembershipInline(TabularInline[Membership, Organization]):
    """The members of an organization; only Admin and Accountant see its invoices."""

    model = Membership
    autocomplete_fields = ["user"]
    extra = 0
    show_title = False


class MembershipOfUserInline(TabularInline[Membership, User]):
    """The organizations that a person belongs to."""

    model = Membership
    autocomplete_fields = ["organization"]
    extra = 0
    show_title = False
