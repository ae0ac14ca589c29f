"""Stands for TensorBoard, before whose folder this one's is searched; all modules but `main` are the real ones."""

import pkgutil

__path__ = pkgutil.extend_path(__path__, __name__)
