"""Small back offices for cities whose agencies have none; each imports nothing of the program, so that another process can serve it."""
