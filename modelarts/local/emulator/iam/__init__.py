"""The part of IAM that sessions use: logins, tokens and signatures."""
