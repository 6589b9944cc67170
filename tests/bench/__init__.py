"""Measures what a stack of many objects costs: ``make bench``."""
