"""Rare events counted: one proportion or rate, and two of them compared."""
