"""What is known of a file before its rows are read, and what its readers' errors mean."""
