"""The steps of the pipeline, one short function each; `steps` is their registry."""
