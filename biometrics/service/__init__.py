"""The identity service: checks over HTTP or in process, face work in a bounded pool of processes.

`IdentityService` (service.py) is the service in process; `app.create_app` puts it behind HTTP, `server`
serves that. Whatever reads a picture runs in `pool`'s processes, never in the service's own.
"""
