"""Measures the chat function as Lambda runs it, beside a plain forwarder that does nothing else."""
