"""What a user of LocalStack relies on, as a table that is measured: see docs/localstack-parity.md."""
