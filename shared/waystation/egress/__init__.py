"""The one way out: every upstream call goes through here."""
