"""What each upstream dialect looks like: requests shaped, answers parsed. No I/O happens here."""
