"""Who belongs to an organization. Every member sees the list, only Admins change it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.portal._access import Seat, member_page, money_page
from billing.portal._pages import render_page
from organizations.models import Membership
from organizations.roles import RoleRequired
from organizations.usecases.change_member_role import change_member_role
from organizations.usecases.invite_member import UnableToChangeMembers, invite_member
from organizations.usecases.remove_member import remove_member

MEMBERS_PER_PAGE = 100


@member_page
@require_http_methods(["GET", "HEAD", "POST"])
def members(request: HttpRequest, seat: Seat) -> HttpResponse:
    """List the members; an Admin adds one."""
    error = ""
    if request.method == "POST":
        try:
            added = invite_member(
                organization_id=seat.organization.pk,
                email=request.POST.get("email", ""),
                role=request.POST.get("role", ""),
                actor=seat.user,
            )
        except (RoleRequired, UnableToChangeMembers) as refused:
            error = str(refused)
        else:
            sentence = _("%(email)s is a member now: %(role)s.")
            messages.success(request, sentence % {"email": _address(added), "role": added.get_role_display()})
            return _to_the_list(seat)
    rows = Membership.objects.filter(organization=seat.organization).select_related("user")
    context = {
        "page": Paginator(rows.order_by("user__email", "id"), MEMBERS_PER_PAGE).get_page(request.GET.get("page")),
        "roles": Membership.Role.choices,
        "error": error,
        "email": request.POST.get("email", ""),
        "role": request.POST.get("role", Membership.Role.DEVELOPER.value),
    }
    return render_page(request, seat, "portal/members.html", context, current="members", status=422 if error else 200)


@money_page
@require_POST
def change_role(request: HttpRequest, seat: Seat, member_id: int) -> HttpResponse:
    """Give a member another role."""
    try:
        member = change_member_role(
            organization_id=seat.organization.pk,
            membership_id=member_id,
            role=request.POST.get("role", ""),
            actor=seat.user,
        )
    except (RoleRequired, UnableToChangeMembers) as refused:
        messages.error(request, str(refused))
    else:
        sentence = _("%(email)s has the role %(role)s now.")
        messages.success(request, sentence % {"email": _address(member), "role": member.get_role_display()})
    return _to_the_list(seat)


@money_page
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, seat: Seat, member_id: int) -> HttpResponse:
    """Ask whether a member is to be removed, then do it."""
    if request.method != "POST":
        rows = Membership.objects.filter(pk=member_id, organization=seat.organization)
        member = rows.select_related("user").first() if seat.is_admin else None
        if member is None:
            return _to_the_list(seat)
        return render_page(request, seat, "portal/remove_member.html", {"member": member}, current="members")
    try:
        member = remove_member(organization_id=seat.organization.pk, membership_id=member_id, actor=seat.user)
    except (RoleRequired, UnableToChangeMembers) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, _("%(email)s is no member any more.") % {"email": _address(member)})
        if member.user_id == seat.user.pk:
            return redirect("portal:home")
    return _to_the_list(seat)


def _address(member: Membership) -> str:
    """As the list shows it, see `invite_member`."""
    return member.user.email.lower()


def _to_the_list(seat: Seat) -> HttpResponse:
    return redirect("portal:members", seat.organization.external_id)
