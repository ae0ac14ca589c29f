"""The v1 REST contract as data: routes, bodies, limits, status vocabulary. No I/O."""
