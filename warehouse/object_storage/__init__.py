"""S3 and whatever speaks its language: files of feeds are read from there, releases are written there as Parquet."""
