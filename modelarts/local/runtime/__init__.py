"""What a training process sees: its arguments, its environment, its folders."""
