"""`python -m jobs.cli`, for processes that are started without a shell."""

from jobs.cli import main

main()
