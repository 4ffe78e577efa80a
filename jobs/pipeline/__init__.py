"""The hallway: one short function a step, in the order of the way; `steps` is the registry of them."""
