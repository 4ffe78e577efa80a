"""The only access to data: a service acts for an actor, and returns what the actor may see, or raises."""
