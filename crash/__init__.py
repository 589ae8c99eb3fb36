"""Kills and cuts the running platform in the middle of payments and compares the books with what clients were told."""
