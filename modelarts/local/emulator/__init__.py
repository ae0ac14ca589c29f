"""The local service with the interfaces of the cloud: TLS, logins, signed requests. Loaded only for `--auth iam`."""
