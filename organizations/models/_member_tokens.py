"""Tokens with which members' programs act for them."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

SHORT_LIVED = timedelta(hours=1)


class MemberToken(models.Model):
    """What a member's program shows to the customers' API. Of the token only a hash and its beginning are kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="tokens"
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("begins with"), max_length=20, unique=True)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    downloads_only = models.BooleanField(
        _("downloads only"), default=False, help_text=_("Opens documents and nothing else; may be part of an address.")
    )
    created_at = models.DateTimeField(_("created"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("member token")
        verbose_name_plural = _("member tokens")
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="member_token_expires_later",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_valid(self, at: datetime) -> bool:
        """Whether it opens anything at an instant."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)

    @property
    def may_be_in_an_address(self) -> bool:
        """Addresses end up in histories and logs: only what opens little, or not for long, may be part of one."""
        is_short_lived = self.expires_at is not None and self.expires_at - self.created_at <= SHORT_LIVED
        return self.downloads_only or is_short_lived
