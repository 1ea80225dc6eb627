"""Why the model says what it says: which decisions are explained, from which rows, and in which words."""
