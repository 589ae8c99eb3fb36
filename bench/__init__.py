"""Measures the hot paths against limits taken in the same run on the same machine."""
