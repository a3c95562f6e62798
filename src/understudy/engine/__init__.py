"""Local AWS on 127.0.0.1:4566: Lambda, ECR, HTTP APIs and logs of our own; a delegate does the rest."""
