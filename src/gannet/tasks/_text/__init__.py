"""What the recovery of lost text needs besides a network: normalization, gaps, n-grams, parallels, the protocol."""
