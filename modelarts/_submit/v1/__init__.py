"""The bodies of the first generation of the API."""
