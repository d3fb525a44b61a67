"""Installing hartslag on a machine: as a service of the system by root, or as a command of one user.

The Python of the system runs this, before any package is there: nothing is imported but its own library.
"""
