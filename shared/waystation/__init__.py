"""Waystation: a serverless LLM gateway for the `endpoints.custom` array of a librechat.yaml."""

__version__ = "0.1.0"
