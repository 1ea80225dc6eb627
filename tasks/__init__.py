"""WHAT: one verb per module; thin Prefect tasks that join the warehouse and the model."""
