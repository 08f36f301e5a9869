"""The door of the customers: an organization's invoices, credits and consumption, for those who may see its money."""
