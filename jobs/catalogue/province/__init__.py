"""Exchange of the catalogue with the province: our side and the other in one form, and what differs."""
