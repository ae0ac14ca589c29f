"""The errors of a service by the names that scripts for the original SDK import; see `modelarts.errors`."""
