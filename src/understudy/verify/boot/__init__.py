"""The boot: the image under Lambda's constraints, watched."""
