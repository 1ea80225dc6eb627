"""The command line, a module for each group of commands; they import what they need when they are called."""
