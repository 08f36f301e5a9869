"""The platform API: what programs of the platform read and write. Each view calls queries, or one use case."""
