"""Documents as files and pages: what people read, pay, book and file."""
