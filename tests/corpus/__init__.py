"""Generated files of every format, with the oddities that people's files have."""
