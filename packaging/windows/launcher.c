/* Starts the Python that lies in lib\ beside this program, with the module that MODULE names.

   One source, two programs: voicechat-client.exe (MODULE is the client, GAME_TIMER is set) and voicechat-ctl.exe.
   Without MODULE it is a plain python.exe, which only the tests have.

   What it does besides, and why:
   - lib\ becomes a folder of the DLL search (numpy's extensions find VCRUNTIME140_1.dll there) and of PATH
     (ctypes.util.find_library looks for opus.dll nowhere else);
   - the console takes UTF-8 while we run: names of friends are not all of code page 437;
   - waits last one millisecond more at most, not 15.6, and are not stretched when the window is minimised
     (Windows 11 does that unless a program asks it not to);
   - "-m MODULE ..." goes to Python as it is: the client looks for sound cards in a process of its own;
   - a window that was opened for this program alone stays until Enter if it ends with an error. */

#include <windows.h>
#include <mmsystem.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

enum {
    CANNOT_START = 70,  /* EX_SOFTWARE of sysexits.h */
    INTERRUPTED = 130,  /* Ctrl-C: who pressed it wants the window gone */
    LONGEST_PATH = 32768,
};

typedef int (*py_main)(int, wchar_t **);

static int cannot_start(const wchar_t *what)
{
    fwprintf(stderr, L"voicechat cannot start: %ls (Windows says %lu); unpack the whole folder, and start it there\n",
             what, GetLastError());
    return CANNOT_START;
}

/* The folder lib\ beside this program, without a backslash at its end; false if it cannot be told. */
static BOOL library_folder(wchar_t *folder)
{
    static const wchar_t LIB[] = L"lib";
    DWORD length = GetModuleFileNameW(NULL, folder, LONGEST_PATH);
    if (length == 0 || length >= LONGEST_PATH - sizeof LIB / sizeof *LIB)
        return FALSE;
    wchar_t *cut = wcsrchr(folder, L'\\');
    if (!cut)
        return FALSE;
    wcscpy(cut + 1, LIB);
    return TRUE;
}

/* Puts a folder before all others of PATH. */
static BOOL first_in_path(const wchar_t *folder)
{
    DWORD old = GetEnvironmentVariableW(L"PATH", NULL, 0); /* with the end; 0 if there is none */
    size_t before = wcslen(folder);
    wchar_t *path = calloc(before + old + 2, sizeof *path);
    if (!path)
        return FALSE;
    wcscpy(path, folder);
    if (old) {
        path[before] = L';';
        GetEnvironmentVariableW(L"PATH", path + before + 1, old);
    }
    BOOL done = SetEnvironmentVariableW(L"PATH", path);
    free(path);
    return done;
}

/* Waits of this process are a millisecond exact, minimised or not. */
static void keep_time(void)
{
#ifdef GAME_TIMER
    PROCESS_POWER_THROTTLING_STATE state = {
        .Version = PROCESS_POWER_THROTTLING_CURRENT_VERSION,
        .ControlMask = 4 /* PROCESS_POWER_THROTTLING_IGNORE_TIMER_RESOLUTION: newer than the headers */,
        .StateMask = 0,
    };
    SetProcessInformation(GetCurrentProcess(), ProcessPowerThrottling, &state, sizeof state);
    timeBeginPeriod(1);
#endif
}

/* What Python is to do: our module, unless the first word is -m. */
static wchar_t **words_for_python(int *count, int argc, wchar_t **argv)
{
    static wchar_t utf8[] = L"-X", mode[] = L"utf8";
    wchar_t **words = calloc((size_t)argc + 5, sizeof *words);
    if (!words)
        return NULL;
    int n = 0;
    words[n++] = argv[0];
    words[n++] = utf8;
    words[n++] = mode;
#ifdef MODULE
    static wchar_t run[] = L"-m", module[] = MODULE;
    if (argc < 3 || wcscmp(argv[1], run)) {
        words[n++] = run;
        words[n++] = module;
    }
#endif
    for (int i = 1; i < argc; i++)
        words[n++] = argv[i];
    *count = n;
    return words;
}

int wmain(int argc, wchar_t **argv)
{
    static wchar_t folder[LONGEST_PATH], dll[LONGEST_PATH + 32];
    if (!library_folder(folder))
        return cannot_start(L"its own folder cannot be told");
    if (!first_in_path(folder) || !AddDllDirectory(folder))
        return cannot_start(folder);
    swprintf(dll, sizeof dll / sizeof *dll, L"%ls\\%ls", folder, PYTHON_DLL);
    HMODULE python = LoadLibraryExW(dll, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    py_main run = python ? (py_main)(void *)GetProcAddress(python, "Py_Main") : NULL;
    if (!run)
        return cannot_start(dll);
    int count;
    wchar_t **words = words_for_python(&count, argc, argv);
    if (!words)
        return cannot_start(L"no memory");

    DWORD sharers[2];
    BOOL alone = GetConsoleProcessList(sharers, 2) == 1;
    UINT page = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
    keep_time();
    int status = run(count, words);
    if (alone && status && status != INTERRUPTED) {
        fputs("\n(Enter closes this window)", stderr);
        getchar();
    }
    if (page)
        SetConsoleOutputCP(page);
    return status;
}
