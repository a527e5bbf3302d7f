"""`python -m gannet` is `gannet`."""

from gannet.cli import main

main()
