"""The decisions of a night, one module per head: read predictions and rules, apply a policy, write tables."""
