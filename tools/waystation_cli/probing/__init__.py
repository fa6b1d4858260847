"""One small chat, asked straight of an upstream and through the gateway, and what came of it."""
