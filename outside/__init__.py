"""The process that plays the outside world in the sandbox: phones, the police register and a payment provider.

It has its own database and keys and meets the platform only through signed HTTP. It refuses to start in production.
"""
