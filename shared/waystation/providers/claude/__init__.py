"""What is known of Claude models, whichever API they are asked by."""
