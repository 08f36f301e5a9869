"""Who may do what is decided here, for every door: a permission, never `is_superuser` (domain page, section 8)."""

from django.utils.translation import gettext as _

from organizations.models import User


class NotAllowed(Exception):
    """The person lacks the permission; the message names it."""


def require(actor: User | None, permission: str) -> None:
    """Check that somebody may do this; nobody (None) is the system: a command or the scheduler.

    Raises NotAllowed.
    """
    if actor is not None and not actor.has_perm(permission):
        raise NotAllowed(
            _("%(user)s does not have the permission %(permission)s.") % {"user": actor, "permission": permission}
        )
