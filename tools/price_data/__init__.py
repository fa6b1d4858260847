"""Makes the data of public prices that the layer carries."""
