"""The customers' API: the paths, fields and codes that the platform's published clients know (api-v4.md)."""
