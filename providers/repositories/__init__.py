"""Repositories: one module for each format, on three bases."""
