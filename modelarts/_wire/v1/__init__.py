"""The contract of the first generation of the REST API, as data."""
