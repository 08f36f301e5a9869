"""The finance desk's pages about people, and what all its pages share. Organizations themselves have terms in money:
their page is in `billing.admin`.
"""

from organizations.admin._memberships import MembershipInline
from organizations.admin._profiles import BillingProfileInline
from organizations.admin._sign_in import AuthenticatorAdmin
from organizations.admin._users import UserAdmin

__all__ = ["AuthenticatorAdmin", "BillingProfileInline", "MembershipInline", "UserAdmin"]
