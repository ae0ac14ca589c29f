"""Where the workers of a version run."""
