"""Places where versions run: the interface in `base`, and this machine in `here`."""
