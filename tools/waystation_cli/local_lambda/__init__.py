"""Lambda as functions see it, on this machine: processes, Runtime APIs, and an API in front.

Streamed answers pass through as they come. It knows functions and events, and nothing of what the
functions are for.
"""
