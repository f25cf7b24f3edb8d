"""Weight files of other libraries: which there are, and what of a network they hold under which keys.

Files are read in processes of their own (``transfer``), for what reads them is C code that a damaged
file can crash.
"""
