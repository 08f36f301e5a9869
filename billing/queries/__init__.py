"""Read side: rows to domain values in a fixed number of queries, and lists for the doors."""
