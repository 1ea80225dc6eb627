"""HOW: tensors and numbers only. One multi-task model, five heads, pure decision policies."""
