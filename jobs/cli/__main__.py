"""`python -m jobs.cli`, for processes started without a shell."""

from jobs.cli import main

main()
