"""The one training loop, its checkpoints, and what it takes to run it on several processes."""
