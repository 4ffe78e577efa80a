"""What a reader may see and do: roles, grades, masks and rights. Pure decisions: reads no table, handles no request."""
