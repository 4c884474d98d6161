"""Files: taken in by what their bytes are, kept once, handed out by links that expire, deleted with their last use."""
