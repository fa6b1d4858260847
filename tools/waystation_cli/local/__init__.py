"""The whole gateway in one process, for development: no AWS account, no Docker, no key."""
