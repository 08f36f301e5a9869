"""Write side: one use case per module, one public keyword-only function each."""
