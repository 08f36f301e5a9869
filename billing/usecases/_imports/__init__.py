"""The parts of import_data: reading lines, and one module per group of kinds that stores them."""
