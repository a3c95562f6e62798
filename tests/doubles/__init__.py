"""Doubles of AWS that misbehave on purpose: real servers on loopback, in front of one that answers."""
