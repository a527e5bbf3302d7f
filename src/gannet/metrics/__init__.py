"""Measures of how close fakes come to reals, over features that are not those of any loss."""
