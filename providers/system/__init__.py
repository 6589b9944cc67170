"""What belongs to the server as a whole."""
