"""Frozen limits: what this machine can do at best, never touched when our own code changes."""
