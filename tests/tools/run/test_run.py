"""bitfit run, as its manual promises it.

    BITFIT=build/tools/bitfit LIBRARY=libbitfit-malloc.so \
        HELPERS=FOLDER python3 test_run.py

HELPERS holds this test's own programs: `limit` and `static`.
"""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BITFIT = os.environ["BITFIT"]
LIBRARY = os.environ["LIBRARY"]
HELPERS = pathlib.Path(os.environ["HELPERS"])

QUIET = ["lua5.4", "-e", ""]


class RunTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def environment(self, **more):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("BITFIT", "LD_", "NO_COLOR"))}
        return {**kept, "LC_ALL": "C", **more}

    def run_bitfit(self, *words, bitfit=BITFIT, **variables):
        return subprocess.run(
            [bitfit, "run", *map(str, words)], text=True, timeout=60,
            capture_output=True, check=False,
            env=self.environment(**variables))

    def report(self, *words, **variables):
        """The finished run, and its report as JSON."""
        path = self.folder / "report.json"
        done = self.run_bitfit("--json", "--report", path, *words, **variables)
        return done, json.loads(path.read_text())

    def refused(self, code, *words, **variables):
        """One line says why, and nothing ran."""
        done = self.run_bitfit(*words, **variables)
        self.assertEqual(done.returncode, code, done)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("bitfit run: "), done.stderr)
        return done.stderr


class ExitCodes(RunTest):
    def test_it_is_the_programs_own(self):
        for code in (0, 1, 7, 125, 255):
            done = self.run_bitfit("sh", "-c", f"exit {code}")
            self.assertEqual(done.returncode, code)

    def test_signal_that_ended_it_is_added_to_128(self):
        done, report = self.report("sh", "-c", "kill -KILL $$")
        self.assertEqual(done.returncode, 128 + 9)
        self.assertEqual((report["exit"], report["signal"]), (137, 9))
        done = self.run_bitfit("sh", "-c", "kill -KILL $$")
        self.assertIn("ended by signal 9 (Killed)", done.stderr)

    def test_no_such_program(self):
        self.assertIn("no such program", self.refused(127, "no-such-program"))
        self.refused(127, self.folder / "none")
        self.refused(127, "")

    def test_no_such_interpreter(self):
        path = self.folder / "script"
        path.write_text("#!/no/such/interpreter\n")
        path.chmod(0o755)
        self.assertIn("No such file", self.refused(127, path))

    def test_script_without_an_interpreter(self):
        """The shell runs it, as execvp() has it."""
        path = self.folder / "script"
        path.write_text("test \"$0 $1\" = \"$WANTED\" || exit 9\nexit $2\n")
        path.chmod(0o755)
        for front in (["run", "--report", "none"],
                      ["record", "-o", self.folder / "s.trace"]):
            done = subprocess.run(
                [BITFIT, *front, "--", path, "a b", "5"], timeout=60, check=False,
                capture_output=True, text=True,
                env=self.environment(WANTED=f"{path} a b"))
            self.assertEqual(done.returncode, 5, done)
        path.write_bytes(b"\x7fELF")
        self.assertIn("Exec format error", self.refused(126, path))
        path.write_bytes(b"text\0")
        self.assertIn("Exec format error", self.refused(126, path))

    def test_program_that_is_cut_off(self):
        whole = pathlib.Path(shutil.which("true")).read_bytes()
        path = self.folder / "cut"
        for size in (100, 1000, len(whole) // 2):
            path.write_bytes(whole[:size])
            path.chmod(0o755)
            told = self.refused(126, path)
            self.assertIn("a part of it is missing", told)

    def test_not_executable(self):
        path = self.folder / "text"
        path.write_text("text")
        self.assertIn("Permission denied", self.refused(126, path))
        self.refused(126, self.folder)


class Options(RunTest):
    def test_bad_values_are_one_line(self):
        for words in (["--pool", "0"], ["--pool", "64"], ["--pool", "4K"],
                      ["--pool", "64MB"], ["--pool", "64MiB"],
                      ["--pool", "64 M"], ["--pool", "+64M"],
                      ["--pool", "0x40M"], ["--pool", "1.5G"],
                      ["--pool", "1000T"], ["--pool", "9E"],
                      ["--pool", "18446744073709551615"],
                      ["--pool", "64X"], ["--pool", "-1"],
                      ["--pool", ""], ["--pool", "0%"], ["--pool", "101%"],
                      ["--pool", "99999999999G"], ["--granule", "8"],
                      ["--granule", "24"], ["--on-failure", "explode"]):
            with self.subTest(words):
                told = self.refused(2, *words, "true")
                self.assertIn(words[0], told)

    def test_one_grammar_for_run_and_library(self):
        """What run takes the library takes, as the same number of bytes."""
        for text, size in (("33554432", 32 << 20), ("32768K", 32 << 20),
                           ("32768k", 32 << 20), ("32M", 32 << 20),
                           ("32m", 32 << 20), ("1G", 1 << 30),
                           ("1g", 1 << 30), ("0032M", 32 << 20)):
            with self.subTest(text):
                done, report = self.report("--pool", text, *QUIET)
                self.assertEqual(done.stderr, "")
                self.assertEqual(report["processes"][0]["budget"], size)

    def test_bad_variables_are_refused_as_flags_are(self):
        for name, value in (("POOL", "64MB"), ("POOL", "64"), ("POOL", ""),
                            ("GRANULE", "24"), ("ON_FAILURE", "explode"),
                            ("HARDENED", "yes"), ("LEAKS", "2")):
            with self.subTest(name):
                told = self.refused(2, "true", **{f"BITFIT_{name}": value})
                self.assertIn(f"BITFIT_{name} must be ", told)

    def test_program_is_required(self):
        self.refused(2)
        self.refused(2, "--pool", "1M", "--")

    def test_words_behind_the_program_are_its_own(self):
        done = self.run_bitfit("echo", "--pool", "--json")
        self.assertEqual(done.stdout, "--pool --json\n")
        done = self.run_bitfit("--report", "none", "--", "echo", "--", "x")
        self.assertEqual(done.stdout, "-- x\n")

    def test_help(self):
        done = self.run_bitfit("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--pool", "--granule", "--report", "--prefault",
                       "--lock", "--huge", "--on-failure", "--hardened",
                       "--no-inherit", "--leaks", "--json"):
            self.assertIn(option, done.stdout)

    def test_flag_and_variable_mean_the_same(self):
        for words, variables in ((["--pool", "24M"], {}),
                                 ([], {"BITFIT_POOL": "24M"}),
                                 (["--pool", "24M"], {"BITFIT_POOL": "1G"})):
            _, report = self.report(*words, "lua5.4", "-v", **variables)
            self.assertEqual(report["processes"][0]["budget"], 24 << 20)

    def test_every_switch_reaches_the_library(self):
        done = self.run_bitfit(
            "--pool", "32M", "--granule", "32", "--on-failure", "abort",
            "--prefault", "--lock", "--huge", "--hardened", "--inherit",
            "--leaks", "--report", "none", "env")
        for line in ("POOL=32M", "GRANULE=32", "ON_FAILURE=abort",
                     "PREFAULT=1", "MLOCK=1", "HUGE=1", "HARDENED=1",
                     "INHERIT=1", "LEAKS=1", "REPORT=none"):
            self.assertIn(f"BITFIT_{line}\n", done.stdout)


class Report(RunTest):
    def test_it_is_never_mixed_into_the_output(self):
        done = self.run_bitfit("--pool", "16M", "lua5.4", "-e",
                               "print('out') io.stderr:write('err\\n')")
        self.assertEqual(done.stdout, "out\n")
        self.assertTrue(done.stderr.startswith("err\nbitfit run: lua5.4 "))
        for word in ("16.0 MiB", "peak", "high-water mark", "--pool",
                     "failures"):
            self.assertIn(word, done.stderr)

    def test_to_a_file_or_nowhere(self):
        path = self.folder / "report"
        path.write_text("what was here before\n" * 100)
        done = self.run_bitfit("--report", path, *QUIET)
        self.assertEqual((done.stdout, done.stderr), ("", ""))
        self.assertTrue(path.read_text().startswith("bitfit run: lua5.4 in "))
        done = self.run_bitfit("--report", "none", *QUIET)
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_a_file_for_each_process(self):
        """As BITFIT_REPORT with %p: forks, too, and daemons."""
        for words, variables in ((["--report", self.folder / "r.%p"], {}),
                                 ([], {"BITFIT_REPORT":
                                       str(self.folder / "r.%p")})):
            done = self.run_bitfit(*words, HELPERS / "limit", "daemon",
                                   **variables)
            self.assertEqual((done.stdout, done.stderr), ("", ""))
            for _ in range(500):
                files = [path for path in self.folder.glob("r.*")
                         if "bitfit: failures: 0\n" in path.read_text()]
                if files:
                    break
                time.sleep(0.01)
            self.assertEqual(len(files), 1)
            files[0].unlink()
        self.refused(2, "--json", "--report", "r.%p", "true")

    def test_a_daemon_can_be_waited_for(self):
        done = self.run_bitfit(HELPERS / "limit", "daemon")
        self.assertIn("left no report: it became another program", done.stderr)
        self.assertIn("--wait", done.stderr)
        done, report = self.report("--wait", HELPERS / "limit", "daemon")
        self.assertEqual(done.returncode, 0)
        self.assertGreater(report["processes"][-1]["peak"], 1 << 20)

    def test_a_program_without_a_report_is_not_its_child(self):
        script = ("import os, subprocess; subprocess.run('true');"
                  f"os.execv('{HELPERS / 'static'}', ['static'])")
        done = self.run_bitfit("python3", "-c", script)
        self.assertRegex(done.stderr, r"python3 left no report: .*"
                                      r"; what it started did\n")
        self.assertRegex(done.stderr, r"bitfit run: true \(process \d+\) in")
        done = self.run_bitfit("sh", "-c", "exec true")
        self.assertNotIn("left no report", done.stderr)

    def test_names_give_no_orders_to_a_terminal(self):
        program = shutil.copy("/bin/true", self.folder / "a\033[31m\tb")
        done = self.run_bitfit(program)
        self.assertIn("bitfit run: a?[31m?b in a pool", done.stderr)
        done = self.run_bitfit(self.folder / "\033[31m")
        self.assertNotIn("\033", done.stderr)
        script = "import os; os.kill(os.getpid(), 9)"
        program = self.folder / "\033]0;x"
        program.write_text(f"#!{shutil.which('python3')}\n{script}\n")
        program.chmod(0o755)
        done = self.run_bitfit(program)
        self.assertIn("?]0;x was ended by signal 9", done.stderr)
        self.assertNotIn("\033", done.stderr)

    def test_what_is_mapped_outside_the_pool(self):
        """Python's own heap is, unless it is told to use malloc."""
        script = "import mmap; own = mmap.mmap(-1, 1 << 25); " \
                 "own.write(b'x' * (1 << 25))"
        done = self.run_bitfit(sys.executable, "-c", script)
        self.assertRegex(done.stderr, r"outside the pool +3\d\.\d MiB  "
                         "mapped by the program itself; PYTHONMALLOC=malloc")
        self.assertNotIn("outside the pool", self.run_bitfit(*QUIET).stderr)

    def test_file_that_cannot_be_written(self):
        self.refused(3, "--report", self.folder / "no" / "where", "true")

    def test_json_tells_the_command_and_each_process(self):
        words = ["lua5.4", "-e",
                 "os.execute('sqlite3 :memory: .tables') os.exit(4, true)"]
        done, report = self.report("--pool", "16M", *words)
        self.assertEqual(report["command"], words)
        self.assertEqual((done.returncode, report["exit"]), (4, 4))
        names = [part["program"] for part in report["processes"]]
        self.assertEqual((names[0], names[-1]), ("sqlite3", "lua5.4"))

    def test_words_that_are_no_text(self):
        path = self.folder / "report"
        subprocess.run([BITFIT.encode(), b"run", b"--json", b"--report",
                        bytes(path), b"true", b"\xff\xfe"], timeout=60,
                       env=self.environment(), check=True)
        self.assertEqual(len(json.loads(path.read_text())["command"]), 2)

    def test_budget_that_would_have_served_serves(self):
        words = ["lua5.4", "-e", "t = {} for i = 1, 99999 do t[i] = {} end"]
        _, report = self.report("--pool", "64M", *words)
        budget = report["processes"][0]["would_serve"]
        done, report = self.report("--pool", budget, *words)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(report["processes"][0]["failures"], 0)

    def test_programs_that_allocate_nothing_or_end_at_once(self):
        for words in (["true"], ["dash", "-c", "exit 0"]):
            _, report = self.report("--pool", "4M", *words)
            [part] = report["processes"]
            self.assertEqual(part["program"], words[0])
            self.assertLess(part["peak"], 1 << 20)
            self.assertGreater(part["would_serve"], 0)

    def test_process_that_failed_is_the_one_shown(self):
        script = f"{HELPERS / 'limit'} fill; lua5.4 -v; true"
        done = self.run_bitfit("--pool", "8M", "dash", "-c", script)
        self.assertIn("bitfit run: limit", done.stderr)
        self.assertIn("2 more processes", done.stderr)

    def test_leaks_if_asked(self):
        _, report = self.report("--leaks", HELPERS / "limit", "leak")
        self.assertGreaterEqual(report["processes"][0]["leaked_bytes"], 12345)
        done = self.run_bitfit("--leaks", HELPERS / "limit", "leak")
        self.assertIn("leaks", done.stderr)
        done = self.run_bitfit(HELPERS / "limit", "leak")
        self.assertNotIn("leaks", done.stderr)


class Limit(RunTest):
    def test_program_goes_on_and_its_exit_code_is_intact(self):
        done, report = self.report("--pool", "8M", HELPERS / "limit", "fill")
        self.assertEqual(done.returncode, 5, done)
        self.assertIn("ENOMEM; goes on", done.stdout)
        part = report["processes"][0]
        self.assertGreaterEqual(part["failures"], 1)
        self.assertIsNone(part["would_serve"])
        self.assertLessEqual(part["high_water"], 8 << 20)
        done = self.run_bitfit("--pool", "8M", HELPERS / "limit", "fill")
        self.assertIn("request got NULL, the first asked for 64.0 KiB",
                      done.stderr)
        self.assertNotIn("would have served", done.stderr)

    def test_it_can_abort_instead(self):
        done, report = self.report("--pool", "8M", "--on-failure", "abort",
                                   HELPERS / "limit", "fill")
        self.assertEqual(done.returncode, 128 + signal.SIGABRT)
        self.assertEqual(report["signal"], signal.SIGABRT)


class Signals(RunTest):
    def start(self, script):
        program = subprocess.Popen(
            [BITFIT, "run", "--report", "none", "sh", "-c", script],
            stdout=subprocess.PIPE, text=True, env=self.environment())
        self.addCleanup(program.stdout.close)
        self.assertEqual(program.stdout.readline(), "ready\n")
        return program

    def test_what_is_sent_to_it_reaches_the_program(self):
        for name in ("TERM", "INT", "HUP", "USR1", "USR2", "QUIT"):
            with self.subTest(name):
                program = self.start(f"trap 'exit 3' {name}; echo ready; "
                                     "while :; do sleep 0.05; done")
                program.send_signal(getattr(signal, f"SIG{name}"))
                self.assertEqual(program.wait(20), 3)

    def test_program_without_a_handler_is_ended(self):
        program = self.start("echo ready; exec sleep 30")
        program.terminate()
        self.assertEqual(program.wait(20), 128 + signal.SIGTERM)

    def test_it_stops_and_goes_on_with_the_program(self):
        program = self.start("echo ready; kill -STOP $$; exit 6")
        _, status = os.waitpid(program.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        os.kill(program.pid, signal.SIGCONT)
        self.assertEqual(program.wait(20), 6)


class Preload(RunTest):
    def test_it_stands_in_front_of_others(self):
        done = self.run_bitfit("--report", "none", "sh", "-c",
                               'echo "$LD_PRELOAD"', LD_PRELOAD="libm.so.6")
        self.assertEqual(done.stdout,
                         f"{os.path.realpath(LIBRARY)}:libm.so.6\n")

    def test_without_inheritance_children_have_none(self):
        done, report = self.report("--no-inherit", "lua5.4", "-e",
                                   "os.execute('echo $LD_PRELOAD.')")
        self.assertEqual(done.stdout, ".\n")
        self.assertEqual([part["program"] for part in report["processes"]],
                         ["lua5.4"])

    def test_library_is_found_in_an_installed_tree(self):
        for name in ("bin", "lib"):
            (self.folder / name).mkdir()
        bitfit = shutil.copy(BITFIT, self.folder / "bin")
        shutil.copy(LIBRARY, self.folder / "lib" / "libbitfit-malloc.so")
        done = self.run_bitfit(*QUIET, bitfit=bitfit)
        self.assertEqual(done.returncode, 0)
        self.assertIn("high-water mark", done.stderr)

    def test_library_that_is_not_there(self):
        told = self.refused(3, "true", BITFIT_MALLOC_LIBRARY="/none.so")
        self.assertIn("BITFIT_MALLOC_LIBRARY", told)
        bitfit = shutil.copy(BITFIT, self.folder)
        done = self.run_bitfit("true", bitfit=bitfit)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stderr.count("\n"), 1)

    def test_path_that_a_preload_cannot_express(self):
        for name in ("a folder", "a:folder", "a$LIB", "a${ORIGIN}"):
            folder = self.folder / name
            folder.mkdir()
            library = shutil.copy(LIBRARY, folder)
            self.refused(3, "true", BITFIT_MALLOC_LIBRARY=str(library))

    def build(self, name, source, *options):
        path = self.folder / name
        subprocess.run(["cc", "-xc", "-", "-o", path, *options], input=source,
                       text=True, check=True)
        return path

    def test_what_cannot_be_served_says_why(self):
        source = ("#include <stdlib.h>\n"
                  "int main(void) { free(malloc(9)); }\n")
        for name, options, why in (
                ("address", ["-fsanitize=address"], "AddressSanitizer"),
                ("thread", ["-fsanitize=thread"], "ThreadSanitizer"),
                ("leak", ["-fsanitize=leak"], "LeakSanitizer"),
                ("pie", ["-static-pie"], "statically linked")):
            with self.subTest(name):
                program = self.build(name, source, *options)
                self.assertIn(why, self.refused(126, program))
        own = self.build("own", "#include <stddef.h>\n"
                         "void *malloc(size_t s) { (void)s; return NULL; }\n"
                         "int main(void) {}\n", "-rdynamic")
        self.assertIn("a malloc of its own", self.refused(126, own))

    def test_the_dynamic_linker_starts_programs(self):
        linker = next(line.split()[-1].rstrip("]") for line in subprocess.run(
            ["readelf", "-l", shutil.which("lua5.4")], text=True, check=True,
            capture_output=True).stdout.splitlines() if "interpreter" in line)
        _, report = self.report(linker, shutil.which("lua5.4"), "-e", "")
        self.assertEqual(len(report["processes"]), 1)

    def test_plugins_share_the_pool(self):
        """Whatever flags they are opened with, and found beside who asks."""
        (self.folder / "beside").mkdir()
        self.build("beside/plugin.so", "#include <stdlib.h>\n"
                   "#include <string.h>\nchar *plugin(char *given)"
                   "{ free(given); return strdup(\"from the plugin\"); }\n",
                   "-shared", "-fPIC")
        main = self.build("main", """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdio.h>
            #include <stdlib.h>
            int main(int count, char **words)
            {
                int flags = RTLD_NOW | RTLD_DEEPBIND;
                void *library = count > 1
                    ? dlmopen(LM_ID_BASE, "plugin.so", flags)
                    : dlopen("plugin.so", flags);
                if (library == NULL)
                    return puts(dlerror());
                char *(*plugin)(char *) =
                    (char *(*)(char *))dlsym(library, "plugin");
                char *text = plugin(malloc(100));
                puts(text);
                free(text);
                (void)words;
            }
            """, "-Wl,-rpath,$ORIGIN/beside")
        done = self.run_bitfit("--report", "none", main)
        self.assertEqual((done.returncode, done.stdout),
                         (0, "from the plugin\n"), done)
        for words in ([main], [main, "dlmopen"]):
            done = subprocess.run(
                [BITFIT, "record", "-o", self.folder / "p.trace", *words],
                text=True, capture_output=True, timeout=60, check=False)
            self.assertEqual((done.returncode, done.stdout),
                             (0, "from the plugin\n"), done)

    def test_static_program(self):
        told = self.refused(126, HELPERS / "static")
        self.assertIn("statically linked", told)

    def test_script_of_a_static_program(self):
        script = self.folder / "script"
        script.write_text(f"#!{HELPERS / 'static'}\n")
        script.chmod(0o755)
        self.assertIn("statically linked", self.refused(126, script))

    def test_program_with_the_rights_of_another(self):
        program = pathlib.Path("/usr/bin/passwd")
        if os.geteuid() == 0:
            program = pathlib.Path(shutil.copy("/bin/true", self.folder))
            os.chown(program, 65534, 65534)
            program.chmod(0o4755)
        told = self.refused(126, program)
        self.assertIn("the system ignores", told)

    def test_libraries_in_name_spaces_of_their_own_stay_outside(self):
        """They have a C library of their own, and the program works."""
        audit = self.build("audit.so", "#include <stdlib.h>\n"
                           "unsigned la_version(unsigned version)"
                           "{ free(malloc(1000)); return version; }\n",
                           "-shared", "-fPIC")
        plugin = self.build("plugin.so", "#include <stdlib.h>\n"
                            "void *plugin(void) { void *own = malloc(7777);"
                            " free(own); return own; }\n", "-shared", "-fPIC")
        main = self.build("main", """
            #define _GNU_SOURCE
            #include <dlfcn.h>
            #include <stdio.h>
            int main(int count, char **words)
            {
                int flags = RTLD_NOW | (count > 2 ? RTLD_DEEPBIND : 0);
                void *library = dlmopen(LM_ID_NEWLM, words[1], flags);
                if (library == NULL)
                    return puts(dlerror());
                void *(*plugin)(void) =
                    (void *(*)(void))dlsym(library, "plugin");
                return plugin() != NULL && puts("done") > 0 ? 0 : 1;
            }
            """)
        for words in [plugin], [plugin, "deep"]:
            for front in (["run", "--report", "none"],
                          ["record", "-o", self.folder / "a.trace"]):
                done = subprocess.run(
                    [BITFIT, *front, "--", main, *words], text=True,
                    capture_output=True, timeout=60, check=False,
                    env=self.environment(LD_AUDIT=str(audit)))
                self.assertEqual((done.returncode, done.stdout),
                                 (0, "done\n"), done)


class RealPrograms(RunTest):
    """Interpreters that load plugins, start threads and fork, in a pool, in a
    hardened one, and recorded."""

    PROGRAMS = {
        "php": ["-r", "echo json_encode(array_map('strtoupper', ['done']));"],
        "node": ["-e", "setTimeout(() => console.log("
                       "JSON.stringify(['DONE'])), 10)"],
        "python3": ["-c", "import os, json, threading\n"
                    "work = lambda: json.loads(json.dumps([1] * 50000))\n"
                    "threads = [threading.Thread(target=work)"
                    " for _ in range(3)]\n"
                    "for each in threads: each.start()\n"
                    "child = os.fork()\n"
                    "if child == 0: work(); os._exit(0)\n"
                    "assert os.waitpid(child, 0)[1] == 0\n"
                    "for each in threads: each.join()\n"
                    "print('[\"DONE\"]')"],
        "ruby": ["-e", "require 'json'; 3.times.map { |i| Thread.new "
                 "{ JSON.parse(JSON.generate([i] * 9999)) } }.each(&:join); "
                 "Process.wait(fork { exit!(0) }); puts JSON.generate("
                 "['done'.upcase])"]}

    def check_all(self, *front):
        for name, words in self.PROGRAMS.items():
            with self.subTest(name):
                done = subprocess.run(
                    [BITFIT, *front, "--", name, *words], text=True,
                    capture_output=True, timeout=120, check=False,
                    env=self.environment())
                self.assertEqual((done.returncode, done.stdout.strip()),
                                 (0, '["DONE"]'), done)
                self.assertNotIn("; it is cut", done.stderr)

    def test_in_a_pool(self):
        self.check_all("run", "--pool", "1G")

    def test_in_a_hardened_pool(self):
        self.check_all("run", "--pool", "1G", "--hardened")

    def test_recorded(self):
        self.check_all("record", "-o", self.folder / "a.trace")


if __name__ == "__main__":
    unittest.main()
