"""Who sees which organization: every page of the portal begins with one of these two decorators.

    @money_page                                            # its Admins and Accountants
    def invoices(request, seat): …                         # seat.organization is theirs

    @member_page                                           # every member
    def organization(request, seat): …

An organization is found through the memberships of whoever asks, never by its identifier alone; to everybody else it
does not exist (404). Roles count for the organization in which they are held: the parent that pays for a
sub-organization shows nothing of its money to members of the latter, and the other way round. Staff may see one
organization for a while, see `organizations.sign_in.visits`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from organizations.models import Membership, Organization, User
from organizations.roles import MONEY_ROLES
from organizations.sign_in.visits import Visit, current_visit, forget_visit_that_is_over


@dataclass(frozen=True)
class Seat:
    """Who looks at which organization, and in which role; a visit of staff looks as an Admin, and changes nothing."""

    organization: Organization
    user: User
    role: str
    visit: Visit | None = None

    @property
    def sees_money(self) -> bool:
        """Whether invoices, credits and consumption are shown (domain page, section 8)."""
        return self.role in MONEY_ROLES

    @property
    def role_name(self) -> str:
        """The role in words."""
        return str(Membership.Role(self.role).label)

    @property
    def is_admin(self) -> bool:
        """Whether the person may change what the organization may change here."""
        return self.role == Membership.Role.ADMIN and self.visit is None


type Page[**P] = Callable[Concatenate[HttpRequest, Seat, P], HttpResponseBase]
type View = Callable[..., HttpResponseBase]


def member_page[**P](page: Page[P]) -> View:
    """Make a view of a page that every member of the organization in its address may see."""
    return _seated(page, lambda seat: True)


def money_page[**P](page: Page[P]) -> View:
    """Make a view of a page that only those may see to whom the organization shows its money."""
    return _seated(page, lambda seat: seat.sees_money)


def _seated[**P](page: Page[P], may_see: Callable[[Seat], bool]) -> View:
    @never_cache
    @login_required
    @wraps(page)
    def view(request: HttpRequest, external_id: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        seat = find_seat(request, external_id)
        if seat is None and forget_visit_that_is_over(request):
            messages.info(request, _("Your visit to the portal is over."))
            return redirect("portal:home")
        if seat is None or not may_see(seat):
            raise Http404
        return page(request, seat, *args, **kwargs)

    return view


def find_seat(request: HttpRequest, external_id: str) -> Seat | None:
    """Find what somebody is to an organization; None when they are nothing to it."""
    user = request.user
    if not isinstance(user, User) or "\0" in external_id:  # which PostgreSQL cannot compare
        return None
    if visit := current_visit(request):
        organization = Organization.objects.filter(external_id=visit.organization).first()
        is_it = organization is not None and visit.organization == external_id
        return Seat(organization, user, Membership.Role.ADMIN, visit) if organization and is_it else None
    membership = (
        Membership.objects.filter(user=user, organization__external_id=external_id)
        .select_related("organization")
        .first()
    )
    return Seat(membership.organization, user, membership.role) if membership else None
