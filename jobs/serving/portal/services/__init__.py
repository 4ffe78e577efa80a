"""The one way to data: a service is opened for an actor, and gives what the actor may see, or an error that says why not."""
