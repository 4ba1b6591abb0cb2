/* bcryptprimitives.dll, which Wine 8 lacks: cryptography's Rust takes its random bytes from there. */

#include <windows.h>

BOOLEAN WINAPI SystemFunction036(PVOID bytes, ULONG count); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count)
{
    return SystemFunction036(bytes, (ULONG)count);
}
