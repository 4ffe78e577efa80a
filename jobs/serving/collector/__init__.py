"""The service for devices: readings by HTTP, each in the broker before it is acknowledged."""
