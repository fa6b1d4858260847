"""HTTP: apps, request ids, strict JSON bodies, error envelopes, event streams, the log line."""
