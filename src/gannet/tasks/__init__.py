"""Tasks: kinds of problems, one module each; see `gannet.tasks.generation` for what a task consists of."""
