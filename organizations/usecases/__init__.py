"""Write side: one public keyword-only function per module, its errors beside it."""
