"""Addresses of the portal, in the order in which they are looked up."""

from jobs.serving.routes import entrance, ticket_pages

ROUTERS = (entrance.router, ticket_pages.router)
