"""Quantiles of the standard normal distribution."""

Z_90, Z_95 = 1.2815515655446004, 1.6448536269514722
