"""Trained networks in use: saved, loaded, computed and written out."""
