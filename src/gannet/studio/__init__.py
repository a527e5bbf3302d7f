"""The studio: a page on the user's own machine, on which the verbs are used by looking."""
