"""The SQL service: read-only queries over the lake's tables, under the rights and masks of the person who asks (ADR 0017)."""
