"""What if: a night as it would have been, had other prices been set or other promotions been announced."""
