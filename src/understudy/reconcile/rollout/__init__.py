"""Releases as callers see them: a version is probed, an alias moves to it, and goes back when it fails."""
