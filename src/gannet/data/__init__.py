"""Data: sources of pictures, the cache of decoded ones, and the doctor who examines them."""
