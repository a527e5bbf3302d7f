"""The contest: games and turns, losses, penalties, and the referee. It knows nothing of particular networks."""
