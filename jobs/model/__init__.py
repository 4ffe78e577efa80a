"""Values that rooms share: frozen, in plain Python, without reading or writing anything."""
