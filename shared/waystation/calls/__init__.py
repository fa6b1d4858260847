"""One metered upstream call: credentials, shape, send, events, settle."""
