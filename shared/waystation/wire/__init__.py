"""Pure values and text formats: JSON, SSE, chat requests, usage, stream events."""
