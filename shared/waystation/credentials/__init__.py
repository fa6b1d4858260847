"""The operator's secrets, from the environment and from SSM."""
