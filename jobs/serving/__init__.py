"""The portal: what people see and do in a browser, and the same for programs under /api.

service         the one way to data: each method takes an actor and gives what the actor may see, or an error
routes       addresses → service → pages; forms → service
templates    pages; static: styles and the few lines of script
"""
