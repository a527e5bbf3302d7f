"""Changes to pictures: pure functions of a batch, a strength and a generator."""
