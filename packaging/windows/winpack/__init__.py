"""Builds dist/voicechat-windows-x64.zip on Debian 12: a folder that a friend unpacks and starts.

How it is made, in the order of the modules:

    locks       what is pinned: wheels, DLLs, sources, Debian packages, each with its sha256
    tools       programs run in the same surroundings each time; BuildFailed
    debian      packages and sources of a newer Debian release, by apt lists of the build's own
    wheels      Python's DLLs, and the client's packages, from wheels for Windows
    native      what is compiled here: the two programs, python3.dll, opus.dll
    library     Python's library and the packages, compiled to .pyc by Python 3.13
    leaving     what is left out, and why
    licences    whose work is inside, and on which terms
    checking    no DLL is asked for that is neither in the folder nor part of Windows
    folder      all of that, one after another; the zip

Nothing of Windows or Wine is needed. Two builds from the same pins give the same bytes, whatever the folder,
the umask, the time zone and the language.
"""
