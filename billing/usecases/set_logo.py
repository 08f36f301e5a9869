"""Set the logo that documents are printed with from now on; what is rendered already keeps its own."""

from hashlib import sha256

from django.db import transaction

from billing.models import LegalEntity, SellerLogo
from billing.usecases._permissions import require
from organizations.models import User


@transaction.atomic
def set_logo(*, legal_entity: LegalEntity, svg: str, actor: User | None) -> None:
    """Give the legal entity this image (see `documents.pdf.logos.checked_logo`), or none for "".

    Raises NotAllowed.
    """
    require(actor, "billing.change_legalentity")
    if not svg:
        for logo in SellerLogo.objects.filter(legal_entity=legal_entity):
            logo.delete()
        return
    logo = SellerLogo.objects.select_for_update().filter(legal_entity=legal_entity).first() or SellerLogo(
        legal_entity=legal_entity
    )
    logo.svg, logo.digest = svg, sha256(svg.encode()).hexdigest()
    logo.save()
