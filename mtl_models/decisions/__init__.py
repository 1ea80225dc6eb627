"""Pure policies: from predictions and rules, as arrays, to decisions, as arrays."""
