"""Lists of models and endpoints, and whether the gateway is up."""
