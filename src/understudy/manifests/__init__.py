"""ACK manifests: read, overlaid, checked by name and type, and rendered for one account and region.

The package knows AWS's shapes and no AWS client: nothing here opens a connection.
"""
