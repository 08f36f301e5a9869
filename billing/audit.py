"""Which rows of billing leave an entry in the log of configuration changes: see `organizations.audit`."""

from organizations.audit import audit


def audit_configuration() -> None:
    """Called once all models are there. A price's tiers are on the entry of their price (`usecases/_audit.py`)."""
    from billing.models import (
        AddOnPlan,
        AddOnPlanPrice,
        ApiKey,
        ApprovalPolicy,
        Coupon,
        ExchangeRate,
        LegalEntity,
        LegalText,
        Meter,
        NumberSeries,
        Price,
        ReviewThresholds,
        SellerLogo,
        TaxRate,
        WebhookEndpoint,
    )

    for model in (
        *(AddOnPlan, AddOnPlanPrice, ApprovalPolicy, Coupon, ExchangeRate),
        *(LegalEntity, LegalText, Meter, Price, ReviewThresholds, TaxRate),
    ):
        audit(model)
    # An image is too long for a log: its digest tells that it changed.
    audit(SellerLogo, leaving_out=["svg"])
    # Issuing moves the counter with every document, which events and hashes tell already.
    audit(NumberSeries, leaving_out=["last_counter", "last_date"])
    audit(ApiKey, leaving_out=["digest", "last_used_at"])
    audit(WebhookEndpoint, leaving_out=["secret", "old_secret", "failures", "failing_since", "not_before"])
