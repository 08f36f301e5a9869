from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrganizationsConfig(AppConfig):
    """Who the customers are."""

    name = "organizations"
    verbose_name = _("Customers")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Log what people change of customers, users and groups."""
        from organizations.audit import audit_people_and_customers

        audit_people_and_customers()
