"""The schema's one linear history; applied by the owner's role."""
