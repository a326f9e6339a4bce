"""Serving an application over HTTP: what every service needs, whoever's it is; knows no application."""
