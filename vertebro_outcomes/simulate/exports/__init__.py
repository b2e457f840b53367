"""Simulated registries as clinics hand them out: dirt on request, every injected error on a list."""
