"""A third party's recipes; there is no code in it."""
