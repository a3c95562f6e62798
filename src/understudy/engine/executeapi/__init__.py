"""What HTTP APIs and REST APIs share on an execute-api host: address, HTTP, limits, access logs.

Refuses to know what kind of API answers; `httpapi` and `restapi` do.
"""
