"""The platform as its people meet it: a phone, a till and a clerk that speak to it over HTTP and nothing else."""
