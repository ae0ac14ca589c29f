"""The service on this machine: the v1 training API over real processes, a real database and folders."""
