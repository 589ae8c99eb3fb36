"""One-time authorisations for the city code: given to phones, trusted by gates, refused through the hotlist (F35, F46, F179)."""
