"""The cold start lab: measures cold starts honestly, and says what they are spent on."""
