"""Roles, users, privileges, realms and other security objects."""
