"""The verbs, one a file; here, and only here, all rooms meet."""
