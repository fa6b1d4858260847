"""What is a user's own: keys and URLs for endpoints that ask each user for them."""
