"""Everything that knows Delta: the tables, how they are read and written, and what must hold in them."""
