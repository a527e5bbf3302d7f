"""What watches a game: the referee, audits, checks of the data."""
