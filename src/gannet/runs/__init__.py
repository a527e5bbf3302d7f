"""The folder of a run, and its report."""
