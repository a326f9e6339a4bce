"""The Fabric network that Concordat runs on: one table, and the code that makes it real."""
