"""The operator's YAML, from bytes to a frozen ConfigSnapshot. Knows no AWS, resolves no secret."""
