"""What a night of a shop of any size takes, told from nights that were measured."""
