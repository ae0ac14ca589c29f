"""Built-in algorithms: training scripts that the local service runs in place of a user's own."""
