"""Published vectors of the city code, good and hostile; ``python -m citycode.vectors`` writes them anew."""
