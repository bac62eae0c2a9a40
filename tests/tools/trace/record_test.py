#!/usr/bin/env python3
"""record, replay, fit and export, of real programs and of one whose requests
are known.

    record_test.py BITFIT SUBJECT STATIC_SUBJECT CXX_SUBJECT PRINT_TRACE
        [unittest's own]
"""
import json
import os
import pathlib
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BITFIT, SUBJECT, STATIC, CXX, PRINT = (str(pathlib.Path(a).resolve())
                                       for a in sys.argv[1:6])
HERE = pathlib.Path(__file__).resolve().parent
WORKLOADS = HERE.parents[2] / "bench" / "workloads"
DHAT_VIEW = pathlib.Path("/usr/libexec/valgrind/dh_view.js")


def run(*command, env=None, text=True, **more):
    whole = dict(os.environ, **(env or {}))
    return subprocess.run([str(c) for c in command], capture_output=True,
                          text=text, env=whole, timeout=120, check=False,
                          **more)


def is_whole(path):
    shown = run(PRINT, path)
    return shown.returncode == 0 and "|cut|" not in shown.stdout.split("\n")[0]


class Trace:
    """What print_trace says of a file."""

    def __init__(self, path):
        shown = run(PRINT, path)
        if shown.returncode != 0:
            raise AssertionError(shown.stderr)
        head, *lines = shown.stdout.splitlines()
        self.format, count, timed, ended, self.about = head.split("|", 4)
        self.timed, self.cut = timed == "timed", ended == "cut"
        self.events = [line.split("|", 6) for line in lines]
        assert len(self.events) == int(count)

    def requests(self, after=None):
        """The events as ('alloc', size, alignment) and so on; those behind the
        first request of a size only."""
        all_of_them = [(op, int(size), int(alignment))
                       for op, _, size, alignment, *_ in self.events]
        if after is None:
            return all_of_them
        sizes = [request[1] for request in all_of_them]
        return all_of_them[sizes.index(after) + 1:]

    def sizes(self):
        return [size for op, size, _ in self.requests() if op == "alloc"]


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.trace = pathlib.Path(self.folder.name) / "app.trace"

    def record(self, *command, options=(), code=0, **more):
        done = run(BITFIT, "record", "-o", self.trace, *options, "--", *command,
                   **more)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def refused(self, code, text, *command):
        done = run(BITFIT, *command)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        self.assertIn(text, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)


FAMILY = [("alloc", 100, 1), ("alloc", 21, 1), ("resize", 5000, 1),
          ("free", 21, 1), ("alloc", 77, 1), ("free", 77, 1), ("alloc", 10, 64),
          ("alloc", 11, 64), ("alloc", 8192, 4096), ("alloc", 33, 256),
          ("alloc", 5, 4096), ("alloc", 4096, 4096), ("alloc", 54, 1), ("free", 5000, 1),
          ("free", 33, 1)]
OPERATORS = [event for size in range(101, 113)
             for event in (("alloc", size, 1 if size < 107 else 64),
                           ("free", size, 1))]


class Record(Case):
    def test_the_whole_family_is_recorded(self):
        self.record(SUBJECT, "family")
        trace = Trace(self.trace)
        self.assertEqual(trace.requests(after=12345), FAMILY)
        self.assertEqual(trace.about, f"{SUBJECT} family")
        self.assertTrue(trace.timed)
        self.assertFalse(trace.cut)

    def test_the_operators_of_cxx_are_recorded(self):
        self.record(CXX)
        requests = Trace(self.trace).requests(after=12345)
        self.assertEqual(requests[:len(OPERATORS)], OPERATORS)

    def test_without_times(self):
        self.record(SUBJECT, "family", options=["--no-times"])
        trace = Trace(self.trace)
        self.assertEqual(trace.requests(after=12345), FAMILY)
        self.assertFalse(trace.timed)

    def test_sites_name_functions(self):
        self.record(SUBJECT, "family", options=["--sites"])
        sites = {event[6] for event in Trace(self.trace).events}
        self.assertTrue(any(site.endswith("main;family;ask")
                            for site in sites), sites)

    def build(self, source, *options, name="program", compiler="cc",
              language="c"):
        program = pathlib.Path(self.folder.name) / name
        built = run(compiler, f"-x{language}", "-", "-o", program, *options,
                    input=source)
        self.assertEqual(built.returncode, 0, built.stderr)
        return program

    def sites(self, program, *options):
        """By the sizes of the requests."""
        self.record(program, options=["--sites", *options])
        return {int(event[2]): event[6] for event in Trace(self.trace).events
                if event[0] == "alloc"}

    INLINED = ("#line 1 \"app.c\"\n#include <stdlib.h>\n"
               "void *volatile kept;\n"
               "static inline __attribute__((always_inline))\n"
               "void *inner(int size) { return malloc(size); }\n"  # line 4
               "static inline __attribute__((always_inline))\n"
               "void *outer(int size) {\n"
               "    return inner(size);\n"  # line 7
               "}\n"
               "__attribute__((noinline)) void *my_alloc(int size) {\n"
               "    return kept = malloc(size);\n"  # line 10
               "}\n"
               "int main(void) {\n"
               "    kept = outer(7001);\n"  # line 13
               "    kept = my_alloc(7002);\n"  # line 14
               "    return 0;\n"
               "}\n")

    def test_sites_have_lines_and_inlined_functions(self):
        sites = self.sites(self.build(self.INLINED, "-O2", "-g"))
        self.assertEqual(sites[7001], "main (app.c:13);outer (app.c:7);"
                                      "inner (app.c:4)")
        self.assertEqual(sites[7002], "main (app.c:14);my_alloc (app.c:10)")
        sites = self.sites(self.build(self.INLINED, "-O2"))
        self.assertEqual((sites[7001], sites[7002]), ("main", "main;my_alloc"))

    def test_sites_leave_out_what_calls_malloc_for_others(self):
        program = self.build(self.INLINED, "-O2", "-g")
        for wrappers in "my_alloc", "a,my_*,b":
            sites = self.sites(program, f"--wrappers={wrappers}")
            self.assertEqual(sites[7002], "main (app.c:14)")
        for wrappers in "my", "main*,*c", "":
            sites = self.sites(program, f"--wrappers={wrappers}")
            self.assertIn("my_alloc", sites[7002])
        sites = self.sites(self.build(
            "#include <vector>\nint main() { std::vector<char> v;"
            " v.reserve(7003); return v.capacity() == 7003 ? 0 : 1; }\n",
            "-O0", compiler="c++", language="c++"))
        self.assertRegex(sites[7003], "^main;.*reserve")
        self.assertNotIn("operator new", sites[7003])
        self.assertNotIn("allocate(", sites[7003].rpartition("reserve")[0])

    def test_sites_of_frames_of_every_kind(self):
        self.record(SUBJECT, "frames", options=["--sites"])
        sites = {int(event[2]): event[6] for event in Trace(self.trace).events
                 if event[0] == "alloc"}
        inner = "without_pointer;with_alloca;ask"
        for size in range(410, 440):
            self.assertRegex(sites[size], f"main;run_frames;{inner}$")
        inner = f"realigned;{inner}"
        self.assertRegex(sites[401], f"main;run_frames;{inner}$")
        self.assertRegex(sites[402], f"main;run_frames;.*;in_handler;{inner}$")
        self.assertRegex(sites[403], f"in_coroutine;{inner}$")
        self.assertRegex(sites[404], f"in_thread;{inner}$")

    def test_sites_while_a_program_goes_deep_and_comes_up(self):
        ways = self.record(SUBJECT, "depths", options=["--sites"]).stdout
        sites = {int(event[2]): event[6] for event in Trace(self.trace).events
                 if event[0] == "alloc"}
        depths = set()
        for line in ways.splitlines():
            size, _, way = line.partition(" ")
            frames = ["main", "run_depths", "wander",
                      *(name for kind in way for name in (kind, "wander")),
                      "ask"]
            seen = sites[int(size)].split(";")
            depths.add(len(seen))
            self.assertEqual(seen[-len(frames):], frames[-len(seen):], line)
            self.assertGreaterEqual(len(seen), min(len(frames), 48))
        self.assertEqual(max(depths), 48)
        self.assertLess(min(depths), 16)

    def test_sites_in_plugins_that_come_and_go(self):
        """One takes the addresses of another."""
        names = ["first", "second_with_much_room"]
        for at, name in enumerate(names):
            room = 3000 * at + 10
            built = run("cc", "-O1", "-shared", "-fPIC", "-xc", "-", "-o",
                        f"{self.folder.name}/{name}.so", input=f"""
                #include <stdlib.h>
                void *{name}(int size)
                {{
                    char volatile room[{room}] = {{0}};
                    return (char *)malloc(size + room[1]) + room[2];
                }}
                """)
            self.assertEqual(built.returncode, 0, built.stderr)
        program = pathlib.Path(self.folder.name) / "program"
        run("cc", "-O0", "-xc", "-", "-o", program, input="""
            #include <dlfcn.h>
            int main(int count, char **words)
            {
                for (int i = 0; i < 20; i++) {
                    void *library = dlopen(words[1 + i % 2 * 2], RTLD_NOW);
                    ((void *(*)(int))dlsym(library, words[2 + i % 2 * 2]))
                        (7000 + i % 2);
                    dlclose(library);
                }
                return count == 5 ? 0 : 1;
            }
            """)
        words = [word for name in names for word in (f"./{name}.so", name)]
        self.record(program, *words, options=["--sites"], cwd=self.folder.name)
        found = [(int(event[2]), event[6].rpartition(";")[0][-4:])
                 for event in Trace(self.trace).events
                 if event[0] == "alloc" and event[2] in ("7000", "7001")]
        self.assertEqual(found, [(7000, "main"), (7001, "main")] * 10)

    def test_threads_are_told_apart(self):
        self.record(SUBJECT, "threads")
        trace = Trace(self.trace)
        self.assertEqual({event[4] for event in trace.events},
                         {"0", "1", "2", "3", "4"})
        by_thread = [e for e in trace.events if e[4] != "0"]
        live = sum({"alloc": 1, "free": -1}.get(e[0], 0) for e in by_thread)
        self.assertEqual(live, 0)

    def test_threads_that_fork(self):
        self.record(SUBJECT, "forks", options=["--children"])
        self.assertFalse(Trace(self.trace).cut)
        children = list(self.trace.parent.glob("app.trace.*"))
        self.assertEqual(len(children), 20)
        for child in children:
            self.assertEqual(Trace(child).sizes()[-3:], [300, 301, 302])

    def test_a_fork_is_left_out_unless_asked_for(self):
        for mode in "fork", "raw-fork":
            self.record(SUBJECT, mode, code=3)
            trace = Trace(self.trace)
            self.assertEqual(trace.sizes()[-3:], [111, 222, 333])
            self.assertNotIn(300, trace.sizes())
            self.assertEqual(os.listdir(self.folder.name), ["app.trace"])

    def test_a_childs_trace_begins_with_its_parents(self):
        self.record(SUBJECT, "fork", code=3, options=["--children"])
        child, = self.trace.parent.glob("app.trace.*")
        requests = Trace(child).requests()
        self.assertEqual(requests[-6:], [
            ("alloc", 111, 1), ("alloc", 222, 1), ("free", 111, 1),
            ("alloc", 300, 1), ("alloc", 301, 1), ("alloc", 302, 1)])
        self.assertFalse(Trace(child).cut)
        self.assertEqual(Trace(self.trace).sizes()[-3:], [111, 222, 333])

    def test_programs_that_it_starts(self):
        self.record(SUBJECT, "spawn")
        trace = Trace(self.trace)
        self.assertEqual([s for s in trace.sizes() if s in (111, 222, 12345)],
                         [111, 222])
        self.assertFalse(trace.cut)
        self.record(SUBJECT, "spawn", options=["--children"])
        started = [Trace(path) for path in
                   self.trace.parent.glob("app.trace.*")]
        self.assertEqual(len(started), 1)
        self.assertEqual(started[0].requests(after=12345), FAMILY)

    def test_a_program_that_becomes_another_is_recorded_anew(self):
        self.record(SUBJECT, "exec")
        trace = Trace(self.trace)
        self.assertEqual(trace.requests(after=12345), FAMILY)
        self.assertNotIn(111, trace.sizes())

    def test_a_crash_or_a_kill_loses_nothing(self):
        for mode, number in ("kill", signal.SIGKILL), ("abort", signal.SIGABRT):
            done = self.record(SUBJECT, mode, code=128 + number)
            self.assertIn(f"cut: signal {int(number)} ", done.stderr)
            trace = Trace(self.trace)
            self.assertIn(111, trace.sizes())
            self.assertTrue(trace.cut)

    def test_locks_of_the_c_library_come_before_the_recorders(self):
        """fork() takes the lock of all streams; a stream's writer calls
        malloc."""
        for options in [], ["--children"]:
            self.record(SUBJECT, "flush", options=["--no-times", *options])
            self.assertFalse(Trace(self.trace).cut)
        children = list(self.trace.parent.glob("app.trace.*"))
        self.assertEqual(len(children), 30)
        for child in children:
            trace = Trace(child)
            self.assertEqual(trace.sizes()[-3:], [300, 301, 302])
            self.assertFalse(trace.cut)

    def test_a_handler_that_interrupts_malloc_may_end_the_program(self):
        for mode, code in (("_exit", 7), ("_Exit", 7), ("quick_exit", 7),
                           ("abort", 128 + signal.SIGABRT)):
            for _ in range(5):
                self.record(SUBJECT, f"handler-{mode}", code=code)
                self.assertIn(100, Trace(self.trace).sizes())

    def test_a_handler_that_interrupts_malloc_may_fork(self):
        for options in [], ["--children"]:
            self.record(SUBJECT, "handler-fork", options=options)
            self.assertFalse(Trace(self.trace).cut)
            for child in self.trace.parent.glob("app.trace.*"):
                self.assertIn(100, Trace(child).sizes())

    def preload(self, source):
        """A library that stands in front of functions."""
        path = pathlib.Path(self.folder.name) / "preload.so"
        built = run("cc", "-shared", "-fPIC", "-O0", "-D_GNU_SOURCE", "-xc",
                    "-", "-o", path, input=source)
        self.assertEqual(built.returncode, 0, built.stderr)
        return {"LD_PRELOAD": str(path)}

    def test_functions_that_others_replace_may_allocate(self):
        own = ("{ void *volatile own = malloc(64); free(own);"
               " return (%s)syscall(SYS_%s, %s); }\n")
        source = (
            "#include <fcntl.h>\n#include <stdlib.h>\n#include <time.h>\n"
            "#include <sys/syscall.h>\n#include <unistd.h>\n"
            "void *mmap(void *a, size_t s, int p, int f, int d, off_t o)"
            + own % ("void *", "mmap", "a, s, p, f, d, o") +
            "int munmap(void *a, size_t s)" + own % ("int", "munmap", "a, s") +
            "int open(const char *p, int f, ...)"
            + own % ("int", "openat", "AT_FDCWD, p, f, 0666") +
            "int close(int f)" + own % ("int", "close", "f") +
            "ssize_t read(int f, void *t, size_t s)"
            + own % ("ssize_t", "read", "f, t, s") +
            "ssize_t write(int f, const void *t, size_t s)"
            + own % ("ssize_t", "write", "f, t, s") +
            "int ftruncate(int f, off_t s)" + own % ("int", "ftruncate", "f, s")
            + "int madvise(void *a, size_t s, int h)"
            + own % ("int", "madvise", "a, s, h") +
            "pid_t getpid(void)" + own % ("int", "getpid", "0") +
            "int clock_gettime(clockid_t c, struct timespec *t)"
            + own % ("int", "clock_gettime", "c, t"))
        env = self.preload(source)
        self.record(SUBJECT, "family", env=env)
        self.assertFalse(Trace(self.trace).cut)
        self.record(SUBJECT, "many", env=env)
        self.assertEqual(Trace(self.trace).sizes().count(5), 300000)
        self.record(SUBJECT, "fork", code=3, env=env, options=["--children"])
        child, = self.trace.parent.glob("app.trace.*")
        self.assertFalse(Trace(child).cut)

    def test_what_calls_malloc_first_does_not_decide(self):
        """Before the C library has its environment."""
        program = pathlib.Path(self.folder.name) / "early"
        source = ("#include <stdlib.h>\n"
                  "static void early(void) { free(malloc(99)); }\n"
                  "__attribute__((section(\".preinit_array\"), used))"
                  "static void (*const first)(void) = early;\n"
                  "int main(void) { free(malloc(12345)); }\n")
        built = run("cc", "-O0", "-xc", "-", "-o", program, input=source)
        self.assertEqual(built.returncode, 0, built.stderr)
        self.record(program)
        self.assertIn(12345, Trace(self.trace).sizes())

    def test_daemons(self):
        """The child's trace is whole although its parent's was compressed
        and took its place meanwhile."""
        for _ in range(5):
            done = self.record(SUBJECT, "daemon", options=["--children"])
            self.assertNotIn("cut", done.stderr)
            self.assertFalse(Trace(self.trace).cut)
        for _ in range(600):
            children = list(self.trace.parent.glob("app.trace.*"))
            if len(children) == 5 and all(map(is_whole, children)):
                break
            time.sleep(0.1)
        self.assertEqual(len(children), 5)
        for child in children:
            self.assertEqual(Trace(child).sizes()[-4:], [111, 300, 301, 302])

    def test_what_the_program_makes_its_own_stays_its_own(self):
        """Its environment and all its descriptors."""
        own = self.trace.parent / "own"
        self.record(SUBJECT, "owner", own, code=3, options=["--children"],
                    cwd=self.folder.name)
        self.assertEqual(own.read_bytes(), b"")
        self.assertEqual(Trace(self.trace).sizes().count(5), 300000)
        child, = self.trace.parent.glob("app.trace.*")
        self.assertEqual(Trace(child).sizes()[-3:], [300, 301, 302])

    def test_a_trace_that_is_still_written_is_left_to_its_program(self):
        first = self.start_waiting()
        self.record(SUBJECT, "family")
        first.communicate(timeout=60)
        self.assertEqual(first.returncode, 6)

    def test_paths_are_no_patterns(self):
        self.trace = self.trace.parent / "[a]*?%p$x.trace"
        (self.trace.parent / "a%p$x.trace.1").write_text("another's")
        self.record(SUBJECT, "fork", code=3, options=["--children"])
        child, = (path for path in self.trace.parent.iterdir()
                  if path.name.startswith("[a]*?%p$x.trace."))
        self.assertEqual(child.read_bytes()[:4], b"\x28\xb5\x2f\xfd")
        self.assertFalse(Trace(child).cut)

    def start_waiting(self):
        """The program is in the midst of its work when this returns."""
        started = subprocess.Popen(
            [BITFIT, "record", "-o", self.trace, "--", SUBJECT, "wait"],
            stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for _ in range(1000):
            if run(PRINT, self.trace).returncode == 0:
                trace = Trace(self.trace)
                if 111 in trace.sizes():
                    self.assertTrue(trace.cut)
                    return started
            time.sleep(0.01)
        started.kill()
        raise AssertionError("the program does not get to its work")

    def test_a_trace_can_be_read_while_it_is_recorded(self):
        started = self.start_waiting()
        started.communicate(timeout=60)
        self.assertEqual(started.returncode, 6)
        self.assertFalse(Trace(self.trace).cut)

    def test_a_signal_is_handed_on(self):
        started = self.start_waiting()
        started.terminate()
        started.wait(timeout=60)
        started.stdin.close()
        self.assertEqual(started.returncode, 128 + signal.SIGTERM)
        self.assertTrue(Trace(self.trace).cut)

    def test_the_recorders_own_end_loses_nothing(self):
        started = self.start_waiting()
        started.kill()
        started.communicate(timeout=60)
        self.assertIn(111, Trace(self.trace).sizes())

    def test_exit_codes_are_the_programs(self):
        self.record(SUBJECT, "", code=5)
        self.record(SUBJECT, "_exit", code=4)
        trace = Trace(self.trace)
        self.assertIn(111, trace.sizes())
        self.assertFalse(trace.cut)

    def test_many_events_without_open_files(self):
        self.record(SUBJECT, "many", options=["--no-times"])
        sizes = Trace(self.trace).sizes()
        self.assertEqual(sizes.count(5), 300000)
        # 600,000 events of two bytes, compressed.
        self.assertLess(self.trace.stat().st_size, 100000)

    def test_events_are_limited(self):
        self.record(SUBJECT, "threads", options=["--events", "1000",
                                                 "--about", "a few"])
        trace = Trace(self.trace)
        self.assertEqual(len(trace.events), 1000)
        self.assertEqual(trace.about, "a few")
        self.assertFalse(trace.cut)

    def test_what_cannot_be_recorded_says_why(self):
        self.refused(127, "no such program", "record", "/nowhere/at/all")
        self.refused(126, "statically linked", "record", "-o", self.trace,
                     STATIC)
        self.refused(2, "which program?", "record")
        self.refused(2, "--events must be", "record", "--events", "x", "true")
        self.refused(3, "No such file", "record", "-o", "/nowhere/at.all",
                     SUBJECT)
        self.refused(3, "regular file", "record", "-o", "/dev/null", SUBJECT)
        script = pathlib.Path(self.folder.name) / "script"
        script.write_text("#!/no/such/interpreter\n")
        script.chmod(0o755)
        self.refused(127, "No such file", "record", "-o", self.trace, script)

    def test_what_was_recorded_is_told(self):
        done = self.record(SUBJECT, "family", options=["--events", "1"])
        self.assertIn("app.trace, 1 event, 1 block, ", done.stderr)

    def test_a_program_that_does_not_call_malloc(self):
        program = pathlib.Path(self.folder.name) / "program"
        run("cc", "-xc", "-", "-o", program, input="int main(void) {}\n")
        done = self.record(program)
        self.assertIn("has no events", done.stderr)
        self.refused(3, "the trace has no events", "replay", self.trace)

    def test_the_trace_has_the_programs_name(self):
        done = run(BITFIT, "record", "--", SUBJECT, "family",
                   cwd=self.folder.name)
        self.assertEqual(done.returncode, 0)
        name = pathlib.Path(SUBJECT).name
        self.assertEqual(os.listdir(self.folder.name), [f"{name}.trace"])


class InPool(Case):
    """Under a malloc that brings operators of its own."""

    def check(self, expected, *subject):
        done = run(BITFIT, "run", "--pool", "64M", "--report", "none", "--",
                   BITFIT, "record", "-o", self.trace, "--", *subject)
        self.assertEqual(done.returncode, 0, done.stderr)
        requests = Trace(self.trace).requests(after=12345)
        self.assertEqual(requests[:len(expected)], expected)

    def test_the_whole_family_is_recorded(self):
        self.check(FAMILY, SUBJECT, "family")

    def test_the_operators_of_cxx_are_recorded(self):
        self.check(OPERATORS, CXX)


class OtherTools(Case):
    def test_heaptrack_raw(self):
        made = run("heaptrack", "--raw", "-o", self.folder.name + "/ht",
                   SUBJECT, "family")
        raw, = pathlib.Path(self.folder.name).glob("ht.*")
        self.assertEqual(made.returncode, 0, made.stderr)
        trace = Trace(raw)
        self.assertEqual(trace.format, "heaptrack --raw")
        self.assertIn(("alloc", 5000, 1), trace.requests(after=12345))
        self.assertTrue(any("+0x" in event[6] for event in trace.events))

    def test_heaptracks_interpreted_file_is_refused(self):
        run("heaptrack", "-o", self.folder.name + "/ht", SUBJECT, "family")
        made, = pathlib.Path(self.folder.name).glob("ht.*")
        self.refused(3, "heaptrack --raw", "replay", made)

    def test_glibc_mtrace(self):
        program = pathlib.Path(self.folder.name) / "program"
        source = ('#include <mcheck.h>\n#include <stdlib.h>\n'
                  'int main(void) { mtrace(); char *a = malloc(100);'
                  ' a = realloc(a, 5000); free(a); muntrace(); }\n')
        built = run("cc", "-O0", "-xc", "-", "-o", program, input=source)
        self.assertEqual(built.returncode, 0, built.stderr)
        text = self.folder.name + "/mtrace.txt"
        run(program, env={"MALLOC_TRACE": text,
                          "LD_PRELOAD": "libc_malloc_debug.so.0"})
        self.assertEqual(Trace(text).requests(),
                         [("alloc", 100, 1), ("resize", 5000, 1),
                          ("free", 5000, 1)])


def programs():
    """Real programs with work for each: name, command, environment."""
    cc1 = run("gcc", "-print-prog-name=cc1").stdout.strip()
    real = run(sys.executable, "-c",
               "import os, sys; print(os.path.realpath(sys.executable))")
    python = real.stdout.strip()
    plain = {"PYTHONMALLOC": "malloc", "PYTHONDONTWRITEBYTECODE": "1"}
    return [
        ("lua", ["lua5.4", WORKLOADS / "words.lua"], {}),
        ("sqlite3", ["sqlite3", ":memory:",
                     f".read {WORKLOADS / 'orders.sql'}"], {}),
        ("perl", ["perl", WORKLOADS / "records.pl"], {}),
        ("python3", [python, "-S", "-c", "import json, re; re.compile('a|b')"],
         plain),
        ("cc1", [cc1, "-quiet", "-O1", "-fpreprocessed", "shapes.i", "-o",
                 "shapes.s"], {}),
        ("git", ["git", "--git-dir=git", "--work-tree=.", "hash-object",
                 "shapes.i"], {}),
    ]


class Fit(Case):
    def replay(self, pool, granule):
        done = run(BITFIT, "replay", "--pool", pool, "--granule", granule,
                   "--json", self.trace)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        failures = json.loads(done.stdout)["failures"]
        self.assertEqual(done.returncode, 1 if failures > 0 else 0)
        return failures

    def check_promise(self, name):
        """The pool serves, with one granule less it does not, and in the one
        of the theorem nothing fails either."""
        done = run(BITFIT, "fit", "--json", self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual([g["granule"] for g in found["granules"]],
                         [8, 16, 32, 64, 128, 256])
        self.assertIn(found["recommended_granule"], [16, 32, 64, 128, 256])
        for it in found["granules"]:
            with self.subTest(program=name, granule=it["granule"]):
                self.assertEqual(self.replay(it["pool"], it["granule"]), 0)
                self.assertGreater(
                    self.replay(it["pool"] - it["granule"], it["granule"]), 0)
                self.assertLessEqual(it["payload"], it["high_water"])
                self.assertEqual(it["below_high_water"],
                                 it["payload"] < it["high_water"])
                self.assertGreaterEqual(
                    it["payload"], found["trace"]["peak_requested"])
                if it["never_fails"] is not None:
                    self.assertEqual(
                        self.replay(it["never_fails"], it["granule"]), 0)
        for cost in found["costs"]:
            self.assertGreaterEqual(cost["live"], cost["requested"])

    def test_the_promise_holds_for_real_programs(self):
        here = self.folder.name
        run("gcc", "-E", "-P", WORKLOADS / "shapes.c", "-o", f"{here}/shapes.i")
        run("git", "init", "-q", "--bare", f"{here}/git")
        for name, command, env in programs():
            self.record(*command, env=env, cwd=here)
            self.assertGreater(len(Trace(self.trace).events), 100, name)
            self.check_promise(name)

    def test_fit_records_a_program_itself(self):
        done = run(BITFIT, "fit", "--json", "--granules", "16,4K", "--sites",
                   "--", SUBJECT, "family")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["trace"]["name"], "subject")
        self.assertEqual([g["granule"] for g in found["granules"]], [16, 4096])
        self.assertEqual(found["payload_alignment"], 4096)
        self.assertIsNone(found["granules"][0]["never_fails"])
        self.assertTrue(any(cost["site"].endswith("family;ask")
                            for cost in found["costs"]))

    def test_fit_tells_people(self):
        done = run(BITFIT, "fit", "--", "sh", "-c", "echo to standard output")
        self.assertEqual(done.returncode, 0, done.stderr)
        for text in ("to standard output", "smallest pool", "Recommended: ",
                     "What costs most"):
            self.assertIn(text, done.stdout)
        self.assertNotIn("\033", done.stdout + done.stderr)
        self.assertLessEqual(max(map(len, done.stdout.split("\n"))), 80)

    def test_an_interrupted_fit_leaves_nothing_behind(self):
        """While the search goes on the recording has no name any more."""
        script = ("push @a, 'x' x ($_ % 99) for 1..500000;"
                  "print STDERR \"$ENV{BITFIT_RECORD}\\n\"")
        fit = subprocess.Popen([BITFIT, "fit", "--json", "--", "perl", "-e",
                                script], text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        self.addCleanup(fit.communicate)
        self.addCleanup(fit.kill)
        recording = pathlib.Path(fit.stderr.readline().strip())
        self.assertEqual(recording.parent, pathlib.Path("/tmp"))
        while recording.exists():
            time.sleep(0.01)
        self.assertIsNone(fit.poll())

    def test_a_peak_of_nothing_has_no_ratio(self):
        self.trace.write_text("0\n1\n1\n1\na 0 0\n")
        done = run(BITFIT, "fit", "--granules", "16", self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"\*      16 +176 +- ")

    def test_the_granule_that_is_too_much_is_named(self):
        self.trace.write_text("0\n1\n1\n1\na 0 1000000000000\n")
        self.refused(1, "granule 8: it does not fit", "fit", self.trace)

    def test_fit_refuses_what_makes_no_sense(self):
        self.refused(2, "which trace", "fit")
        self.refused(2, "must be powers of two", "fit", "--granules",
                     "16,20", "x")
        self.refused(3, "No such file", "fit", "/nowhere/at.all")
        self.refused(127, "no such program", "fit", "--", "/nowhere/at/all")
        self.refused(2, "one trace at a time", "fit", "a", "b")
        self.refused(2, "one trace at a time", "fit", "a", "--", "true")


class Replay(Case):
    def test_replay_tells_people_and_scripts(self):
        self.record(SUBJECT, "threads")
        shown = run(BITFIT, "replay", self.trace)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for text in ("time per operation", "high-water mark", "failures",
                     "internal fragmentation", "external fragmentation",
                     "largest request"):
            self.assertIn(text, shown.stdout)
        self.assertLessEqual(max(map(len, shown.stdout.split("\n"))), 80)
        told = json.loads(run(BITFIT, "replay", "--json", self.trace).stdout)
        trace = Trace(self.trace)
        self.assertEqual(told["trace"]["events"], len(trace.events))
        self.assertEqual(told["trace"]["threads"], 5)
        self.assertEqual(told["failures"], 0)
        self.assertLessEqual(told["peak_requested"], told["peak_live"])
        self.assertLessEqual(told["peak_live"], told["high_water"])
        self.assertEqual(told["payload"], told["high_water"])
        self.assertEqual(told["series"][-1]["events"], len(trace.events))
        self.assertLessEqual(told["least_largest_request_possible"],
                             min(at["largest_request_possible"]
                                 for at in told["series"]))
        self.assertLessEqual(len(told["series"]), 501)

    def test_leaks_have_their_stacks(self):
        snapshot = "= Start\n@ a:[0x1] + 0x10 0x64\n@ a:[0x1] + 0x90 0x64\n"
        snapshot += "@ b:[0x2] + 0xf0 0x20\n@ b:[0x2] - 0x10\n= End\n"
        self.trace.write_text(snapshot)
        shown = run(BITFIT, "replay", "--leaks", self.trace).stdout
        self.assertIn("Never freed: 2 blocks", shown)
        self.assertRegex(shown, r"\n +112 +1 +12 +a:\[0x1\]\n +32 +1 +0 +b:")
        told = json.loads(run(BITFIT, "replay", "--leaks", "--json",
                              self.trace).stdout)["leaks"]
        self.assertEqual([(one["site"], one["blocks"]) for one in told],
                         [("a:[0x1]", 1), ("b:[0x2]", 1)])
        self.trace.write_text("0\n2\n3\n1\na 0 8\na 1 9\nf 0\n")
        shown = run(BITFIT, "replay", "--leaks", self.trace).stdout
        self.assertRegex(shown, r"\n +16 +1 +7 +9\n")
        self.trace.write_text("0\n2\n2\n1\na 0 8\nf 0\n")
        shown = run(BITFIT, "replay", "--leaks", self.trace).stdout
        self.assertTrue(shown.endswith("Never freed: 0 blocks\n"), shown)

    def test_standard_input_is_read(self):
        self.record(SUBJECT, "family")
        done = run(BITFIT, "replay", "--json", "-", text=False,
                   input=self.trace.read_bytes())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["trace"]["name"],
                         "standard input")

    def test_a_pool_too_small_is_a_no(self):
        self.record(SUBJECT, "threads")
        done = run(BITFIT, "replay", "--pool", "4K", self.trace)
        self.assertEqual(done.returncode, 1)
        self.assertIn("the first at event", done.stdout)
        self.refused(1, "no room", "replay", "--pool", "64", self.trace)

    def test_replay_refuses_what_makes_no_sense(self):
        self.refused(2, "which trace?", "replay")
        self.refused(2, "--pool must be", "replay", "--pool", "x", "y")
        self.refused(2, "--granule must be a power of two", "replay",
                     "--granule", "24", "y")
        self.refused(3, "No such file", "replay", "/nowhere/at.all")
        self.refused(3, "not a trace", "replay", __file__)
        self.refused(3, "the file is empty", "replay", "/dev/null")
        self.refused(3, "bitfit record -- PROGRAM", "replay", SUBJECT)

    def test_help(self):
        for verb in "record", "replay", "fit", "export":
            done = run(BITFIT, verb, "--help")
            self.assertEqual(done.returncode, 0)
            self.assertIn(f"bitfit {verb}", done.stdout)
            done = run(BITFIT, verb, "--nonsense")
            self.assertEqual(done.returncode, 2)
            self.assertIn("there is no option --nonsense", done.stderr)


class Snapshots(Case):
    """PyTorch's snapshots of a device's memory, made by hand."""

    STEP = [{"name": "mul", "filename": "/opt/torch/ops.py", "line": 114},
            {"name": "a;step", "filename": "train.py", "line": 20},
            {"name": "_start", "filename": "??", "line": 0}]

    def setUp(self):
        super().setUp()
        base, us = 0x7f0000000000, 1700000000000000

        def event(action, at, size, time, frames=()):
            return {"action": action, "addr": base + at, "size": size,
                    "stream": 0, "time_us": us + time, "frames": list(frames)}
        self.traces = [
            [event("segment_alloc", 0, 4096, 0),
             event("alloc", 0, 512, 3, self.STEP),
             event("alloc", 512, 1024, 5, self.STEP[1:]),
             event("free_requested", 0, 512, 9),
             event("free_completed", 0, 512, 9),
             event("oom", 0, 99, 10)],
            [event("alloc", 0, 256, 4)]]
        self.segments = [{"device": 0, "address": base, "total_size": 4096,
                          "segment_type": "small", "blocks": [
                              {"size": 512, "requested_size": 500,
                               "address": base, "state": "active_allocated",
                               "frames": self.STEP},
                              {"size": 3584, "requested_size": 0,
                               "address": base + 512, "state": "inactive",
                               "frames": []}]}]

    def events(self, snapshot, protocol=4):
        self.trace.write_bytes(pickle.dumps(snapshot, protocol=protocol))
        trace = Trace(self.trace)
        self.assertEqual(trace.format, "PyTorch snapshot")
        return trace.events

    def test_history(self):
        more = {"none": None, "pair": (1, 2), "float": 1.5, "big": 1 << 70,
                "below": -5, "yes": True, "set": [[], {}, ()]}
        snapshot = {"segments": self.segments, "device_traces": self.traces,
                    "allocator_settings": more}
        stack = "_start;a,step (train.py:20)"
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            self.assertEqual(self.events(snapshot, protocol), [
                ["alloc", "0", "512", "1", "0", "0",
                 stack + ";mul (ops.py:114)"],
                ["alloc", "1", "256", "1", "1", "1000", ""],
                ["alloc", "2", "1024", "1", "0", "2000", stack],
                ["free", "0", "512", "1", "0", "6000",
                 stack + ";mul (ops.py:114)"]])
        done = run(BITFIT, "map", self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1.8 KiB", done.stdout)

    def test_no_history(self):
        live = [["alloc", "0", "500", "1", "0", "0",
                 "_start;a,step (train.py:20);mul (ops.py:114)"]]
        self.assertEqual(self.events({"segments": self.segments,
                                      "device_traces": [[]]}), live)
        self.assertEqual(self.events(self.segments), live)

    def test_damage(self):
        whole = pickle.dumps({"segments": self.segments,
                              "device_traces": self.traces})
        for size in range(30, len(whole), 7):
            self.trace.write_bytes(whole[:size])
            done = run(PRINT, self.trace)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        dice = random.Random(1)
        for _ in range(200):
            spoilt = bytearray(whole)
            for _ in range(3):
                spoilt[dice.randrange(len(whole))] = dice.randrange(256)
            self.trace.write_bytes(spoilt)
            self.assertIn(run(PRINT, self.trace, text=False).returncode, (0, 1))
        self.trace.write_bytes(pickle.dumps({"segment_type": pathlib.Path()}))
        self.refused(3, "other things than plain data", "replay", self.trace)


class Export(Case):
    def setUp(self):
        super().setUp()
        self.record(SUBJECT, "family", options=["--sites"])
        self.events = Trace(self.trace).events

    def export(self, name, *options):
        done = run(BITFIT, "export", "--format", name, *options, self.trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def live_at_end(self):
        live = {}
        for op, block, size, *_ in self.events:
            live[block] = 0 if op == "free" else int(size)
        return sum(live.values())

    def test_collapsed(self):
        def total(*options):
            lines = self.export("collapsed", *options).splitlines()
            return sum(int(line.rsplit(" ", 1)[1]) for line in lines)

        asked = [e for e in self.events if e[0] != "free"]
        self.assertEqual(total("--cost", "calls"), len(asked))
        self.assertEqual(total("--cost", "total"),
                         sum(int(e[2]) for e in asked))
        self.assertEqual(total("--at", "end"), self.live_at_end())
        self.assertIn("main;family;ask ", self.export("collapsed"))

    def test_a_moment_by_number_and_by_time(self):
        def live(at):
            dump = json.loads(self.export("vma", "--at", at))
            block = dump["DefaultPools"]["bitfit"]["Blocks"]["0"]
            return block["Allocations"]

        self.assertEqual(live("0"), 1)
        self.assertEqual(live("1"), 2)
        self.assertEqual(live("1000s"), live("end"))
        self.assertGreaterEqual(live("0us"), 1)
        self.record(SUBJECT, "family", options=["--no-times"])
        self.refused(2, "--at must be peak", "export", "-f", "vma", "--at",
                     "1s", self.trace)

    def test_collapsed_without_sites(self):
        self.record(SUBJECT, "family")
        self.assertIn("thread 0;12345 bytes 12345\n",
                      self.export("collapsed"))

    def test_chrome(self):
        events = json.loads(self.export("chrome", "--points", "5"))
        heap = [e for e in events["traceEvents"] if e["name"] == "heap"]
        self.assertLessEqual(len(heap), 6)
        self.assertEqual(heap[-1]["args"]["requested"], self.live_at_end())
        self.assertTrue(all(e["ph"] in "CM" for e in events["traceEvents"]))
        times = [e["ts"] for e in heap]
        self.assertEqual(times, sorted(times))

    def test_vma(self):
        dump = json.loads(self.export("vma", "--at", "end"))
        block = dump["DefaultPools"]["bitfit"]["Blocks"]["0"]
        end = 0
        for piece in block["Suballocations"]:
            self.assertEqual(piece["Offset"], end)
            end += piece["Size"]
        self.assertEqual(end, block["TotalBytes"])
        live = [p for p in block["Suballocations"] if p["Type"] != "FREE"]
        self.assertEqual(len(live), block["Allocations"])
        self.assertEqual(sum(p["Requested"] for p in live),
                         self.live_at_end())
        self.assertEqual(block["UnusedRanges"],
                         len(block["Suballocations"]) - len(live))
        self.assertEqual(block["UnusedBytes"],
                         end - sum(p["Size"] for p in live))
        self.assertTrue(any(p.get("Name", "").endswith("main;family;ask")
                            for p in live))

    def check_dhat(self, expected_total):
        """dh_view builds its tree of it; and its totals are ours."""
        text = self.export("dhat")
        points = json.loads(text)["pps"]
        self.assertEqual(sum(p["tb"] for p in points), expected_total)
        path = self.folder.name + "/dhat.json"
        pathlib.Path(path).write_text(text, encoding="utf-8")
        shown = run("node", HERE / "dhat_view.js", DHAT_VIEW, path)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        tree = json.loads(shown.stdout)
        self.assertEqual(tree["totalBytes"], expected_total)
        self.assertEqual(tree["totalBlocks"], sum(p["tbk"] for p in points))
        self.assertEqual(tree["atEndBytes"], self.live_at_end())

    def test_dhat(self):
        total = sum(int(e[2]) for e in self.events if e[0] != "free")
        self.check_dhat(total)
        self.record(SUBJECT, "family")
        self.check_dhat(total)

    def test_export_refuses_what_makes_no_sense(self):
        self.refused(2, "which format?", "export", self.trace)
        self.refused(2, "--format must be collapsed|chrome|vma|dhat",
                     "export", "-f", "png",
                     self.trace)
        self.refused(2, "--at must be", "export", "-f", "vma", "--at",
                     "999999", self.trace)
        self.refused(2, "--cost must be", "export", "-f", "collapsed",
                     "--cost", "x", self.trace)
        self.refused(3, "No such file", "export", "-f", "vma", "-o",
                     "/nowhere/at.all", self.trace)
        self.refused(3, "No space left", "export", "-f", "vma", "-o",
                     "/dev/full", self.trace)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[6:]])
