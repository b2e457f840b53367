"""Simulated registries whose truth is known."""
