"""Sandboxes as containers of a Docker engine, for machines without Linux namespaces of their own.

One container is one sandbox. Its process 1, `holder/holder.c`, starts the image's processes and relays their
connections over the container's stdin and stdout, so nothing here needs a network path to the container.
"""
