"""Titles of conversations: made on request, or beside a chat."""
