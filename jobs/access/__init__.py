"""What a reader may see and do: roles, grades, masks and rights. Decides alone; reads no table and knows no request."""
