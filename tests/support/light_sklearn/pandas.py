"""In PYTHONPATH this stands for pandas that is not installed: scikit-learn imports pandas where it can."""

raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
