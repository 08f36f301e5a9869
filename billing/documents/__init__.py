"""Documents for their readers: one wording of an invoice or credit note, rendered as PDF, e-invoice and HTML."""
