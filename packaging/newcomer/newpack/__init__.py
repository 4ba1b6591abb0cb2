"""A newcomer's evening: what README says, done on machines that have nothing.

readme      the lines that README has for each of them, and the figures in it
machine     a bare Debian 12 by debootstrap, kept in .cache, copied for each machine
evening     the host serves, the friend joins, the host talks, until the friend hears it
"""
