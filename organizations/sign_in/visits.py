"""Staff seeing the portal as one organization sees it: for a while, read-only, as themselves.

A visit is a note in the session of the member of staff, so no address gives access, and every log names them.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.utils import timezone

PERMISSION = "billing.see_portal"
LASTS = timedelta(minutes=30)
_KEY = "portal_visit"


@dataclass(frozen=True)
class Visit:
    """Which organization is seen, by its public identifier, and until when (ISO 8601)."""

    organization: str
    until: str

    def is_over(self, at: datetime) -> bool:
        """Whether its time is up."""
        return at >= datetime.fromisoformat(self.until)


def start_visit(request: HttpRequest, *, organization: str, at: datetime) -> None:
    """Let this session see the portal as an organization; replaces a visit to another one."""
    request.session[_KEY] = asdict(Visit(organization, (at + LASTS).isoformat()))


def end_visit(request: HttpRequest) -> Visit | None:
    """End the visit of this session; return it, None when there was none."""
    noted = request.session.pop(_KEY, None)
    return Visit(**noted) if noted else None


def forget_visit_that_is_over(request: HttpRequest) -> bool:
    """End the visit of this session if its time is up; tell whether that was so."""
    noted = request.session.get(_KEY)
    if not noted or not Visit(**noted).is_over(timezone.now()):
        return False
    end_visit(request)
    return True


def current_visit(request: HttpRequest) -> Visit | None:
    """The visit of this session, None when there is none, its time is up, or the person may no longer make one."""
    noted = request.session.get(_KEY) if hasattr(request, "session") else None
    if not noted:
        return None
    visit = Visit(**noted)
    user = request.user
    return visit if user.is_staff and user.has_perm(PERMISSION) and not visit.is_over(timezone.now()) else None
