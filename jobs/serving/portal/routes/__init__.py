"""Addresses of the portal, in the order in which they are looked up."""

from jobs.serving.portal.routes import (
    api,
    asset_pages,
    bulletin_pages,
    catalogue_pages,
    data_pages,
    entrance,
    feed_pages,
    key_pages,
    lineage_pages,
    loop_pages,
    oidc_pages,
    other_pages,
    query_pages,
    register_pages,
    ticket_pages,
    upload_pages,
)

ROUTERS = (
    entrance.router,
    oidc_pages.router,
    ticket_pages.router,
    upload_pages.router,
    data_pages.router,
    catalogue_pages.router,
    register_pages.router,
    asset_pages.router,
    lineage_pages.router,
    loop_pages.router,
    feed_pages.router,
    key_pages.router,
    bulletin_pages.router,
    query_pages.router,
    other_pages.router,
    api.router,
)
