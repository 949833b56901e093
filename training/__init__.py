"""training/: turn a purchase into measured accuracy."""
