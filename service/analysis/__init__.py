"""Analyses the configurations of the dashboard: a function of its own, invoked by the table's stream.

For every configuration that is written it stores which exchanges its tickers come from and how concentrated
they are; an analysis goes when its configuration does. Knows neither the dashboard's code nor HTTP.
"""
