"""Which tables are guarded, which columns may still move, and what a refused statement is told."""

INVOICES = "billing_invoice"
PARTS = ("billing_invoiceline", "billing_creditstatement", "billing_taxsubtotal", "billing_usagedetail")
LEDGERS = ("billing_creditentry", "billing_event")
ARCHIVE = "billing_archiveddocument"
TABLES = (INVOICES, *PARTS, *LEDGERS, ARCHIVE)

# How an issued document is paid, and whether another one replaces it. The hash moves once, from nothing.
MOVABLE = ("payment_state", "paid_cents", "credited_cents", "released")
HASH = "content_hash"

PREFIX = "frozen_"

ISSUED = "An issued document cannot be changed or deleted: correct it by a credit note."
BOOKED = {
    "billing_creditentry": "Credit entries cannot be changed or deleted: book another one.",
    "billing_event": "Events cannot be changed or deleted.",
}
STORED = "A stored document cannot be changed or deleted: it is what was sent to the customer."
EMPTIED = "This table cannot be emptied: issued documents, their files, credit entries and events are kept."
