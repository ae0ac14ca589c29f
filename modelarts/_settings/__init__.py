"""Settings: one table, the sources that they come from, and what their values may be."""
