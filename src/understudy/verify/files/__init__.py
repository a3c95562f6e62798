"""The flattened file system of an image, read from its layers without extracting them."""
