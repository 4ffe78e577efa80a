"""Readings sent while processes die at random: a program, not collected by pytest."""
