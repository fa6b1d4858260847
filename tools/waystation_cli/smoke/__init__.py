"""The parts of `make smoke-aws`."""
