"""The environment of a training process: arguments, variables, folders and log header."""
