"""The two-player game on points in the plane, to be watched step by step, and other models of the same points."""
