"""Chat completions: the route, and what happens behind it."""
