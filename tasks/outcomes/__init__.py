"""What came of earlier nights: what is kept of each, how it is scored, and what a person should look at."""
