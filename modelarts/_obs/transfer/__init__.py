"""Moving many files and parts at once, and going on after a break."""
