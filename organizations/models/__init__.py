"""Who the customers are, and who may see their invoices."""

from organizations.models._billing_profiles import BillingProfile
from organizations.models._member_tokens import MemberToken
from organizations.models._memberships import Membership
from organizations.models._organizations import Organization
from organizations.models._users import User

__all__ = ["BillingProfile", "MemberToken", "Membership", "Organization", "User"]
