"""Speed and memory as ratios to yardsticks; `python -m benchmarks` prints one table. Nothing here decides a test."""
