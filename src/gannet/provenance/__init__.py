"""Marks on what is generated, and reading them."""
