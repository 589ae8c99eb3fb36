"""`python -m command` is `citycard`."""

from command.main import main

main()
