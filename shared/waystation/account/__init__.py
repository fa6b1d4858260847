"""What is a user's own: keys and URLs for endpoints that ask for them, usage, a balance."""
