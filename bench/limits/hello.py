"""Frozen: the least a Flask application can do, served exactly as the program is served."""

from flask import Flask

app = Flask(__name__)


@app.get("/hello")
def hello() -> str:
    return "hello"
