"""The local service as the cloud is met: logins, signed requests, TLS. Loaded only for `--auth iam`."""
