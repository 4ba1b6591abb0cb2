"""Options of our programs: one table type, and what is made of a table.

A program says what it takes as a tuple of `option.Option`, in the order of its --help. The
command line (`commandline`), the ``VOICECHAT_*`` variables and the keys of a configuration
file (`option`), completion in shells (`completion`) and the tables of docs/reference.md
(``python -m docs.draw_options``) all come from it: a new option is one entry.

Imports the standard library, and little of it: --help is there at once.
"""
