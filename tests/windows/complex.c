/* The functions of complex numbers that numpy calls and that Wine's ucrtbase lacks; with Microsoft's way of passing them.

   Microsoft's long double is a double: the names that end in l take dcomplex, too. */

#include <complex.h>

typedef struct { float re, im; } fcomplex;
typedef struct { double re, im; } dcomplex;

static float _Complex of_f(fcomplex z) { return __builtin_complex(z.re, z.im); }
static double _Complex of_d(dcomplex z) { return __builtin_complex(z.re, z.im); }
static fcomplex to_f(float _Complex z) { return (fcomplex){ __real__ z, __imag__ z }; }
static dcomplex to_d(double _Complex z) { return (dcomplex){ __real__ z, __imag__ z }; }

#define COMPLEX(name) \
    fcomplex wine_##name##f(fcomplex z) { return to_f(name##f(of_f(z))); } \
    dcomplex wine_##name(dcomplex z) { return to_d(name(of_d(z))); } \
    dcomplex wine_##name##l(dcomplex z) { return wine_##name(z); }

#define REAL(name) \
    float wine_##name##f(fcomplex z) { return name##f(of_f(z)); } \
    double wine_##name(dcomplex z) { return name(of_d(z)); } \
    double wine_##name##l(dcomplex z) { return wine_##name(z); }

COMPLEX(cacos) COMPLEX(cacosh) COMPLEX(casin) COMPLEX(casinh) COMPLEX(catan) COMPLEX(catanh)
COMPLEX(ccos) COMPLEX(ccosh) COMPLEX(csin) COMPLEX(csinh) COMPLEX(ctan) COMPLEX(ctanh)
COMPLEX(cexp) COMPLEX(clog) COMPLEX(csqrt) COMPLEX(conj) COMPLEX(cproj)
REAL(cabs) REAL(carg) REAL(creal) REAL(cimag)

fcomplex wine_cpowf(fcomplex a, fcomplex b) { return to_f(cpowf(of_f(a), of_f(b))); }
dcomplex wine_cpow(dcomplex a, dcomplex b) { return to_d(cpow(of_d(a), of_d(b))); }
dcomplex wine_cpowl(dcomplex a, dcomplex b) { return wine_cpow(a, b); }
