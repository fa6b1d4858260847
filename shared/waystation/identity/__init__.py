"""Who calls: the gateway's own keys, and the user a call is for."""
