"""Appearance: numbers and frames to text, HTML and figures; knows no statistics."""
