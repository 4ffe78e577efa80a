"""The portal: pages for people, and the same functions for programs under /api.

service         the only access to data: each method takes an actor and returns what the actor may see, or raises
routes       addresses → service → pages; forms → service
templates    pages; static: styles and the few lines of script
"""
