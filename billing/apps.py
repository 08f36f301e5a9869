from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.apps.registry import Apps
from django.apps.registry import apps as installed_apps
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    """What the customers consume, and the invoices that follow."""

    name = "billing"
    verbose_name = _("Billing")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Log what people change of the configuration.

        Have `migrate` leave behind the groups of staff, with the permissions of all models, and the triggers that guard
        what is issued.
        """
        from billing.audit import audit_configuration

        audit_configuration()
        pre_migrate.connect(_lift_guards, sender=self)
        post_migrate.connect(_install_guards, sender=self)
        post_migrate.connect(_ensure_roles, sender=self)


def _ensure_roles(*, using: str, apps: Apps = installed_apps, **_kwargs: Any) -> None:
    # `flush` sends the signal too, without `apps`. Permissions exist by now: the handler of django.contrib.auth was
    # connected earlier, and this app comes last.
    from auditlog.context import disable_auditlog

    from billing.usecases.ensure_roles import ensure_roles

    try:
        apps.get_model("auth", "Group")
    except LookupError:  # migrated back to before there were groups
        return
    with disable_auditlog():  # they follow from the code, and the log's own table may not be there yet
        ensure_roles(using=using)


def _lift_guards(*, using: str, plan: Sequence[object] = (), **_kwargs: Any) -> None:
    from billing.models.guards import lift_guards

    if plan and connections[using].vendor == "sqlite":
        lift_guards(connections[using])


def _install_guards(*, using: str, **_kwargs: Any) -> None:
    from billing.models.guards import install_guards

    install_guards(connections[using])
