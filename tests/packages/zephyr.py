#!/usr/bin/env python3
"""usage: zephyr.py ROOT COMPILER

The sample and the tests that bitfit has for Zephyr are configured by its
Kconfig, build, and run, in each configuration that they name, under what stands
for Zephyr's build and kernel. The sample prints what its harness asks for.
"""

import os
import re
import subprocess
import sys
import tempfile

import kconfiglib
import yaml

ROOT = os.path.abspath(sys.argv[1])
HERE = os.path.join(ROOT, "tests", "packages", "zephyr")
MODULE = os.path.join(ROOT, "zephyr")
SHELL_LINES = "heap show\nheap check\nheap reset_peak\n"
SHELL_SAYS = r"^pool .*: capacity .*, granule 16.*all invariants hold$"

# The keys that twister knows; here those that bitfit's files may have.
TOP = {"sample", "common", "tests"}
KEYS = {"tags": str, "platform_allow": str, "integration_platforms": list,
        "harness": str, "harness_config": dict, "extra_configs": list,
        "build_only": bool}


def expect(truth, complaint):
    if not truth:
        sys.exit(complaint)


def configure(folder, app, lines):
    """Writes the .config and autoconf.h of an application."""
    os.environ["MODULE"] = MODULE
    kconf = kconfiglib.Kconfig(os.path.join(HERE, "Kconfig"))
    kconf.warn_assign_undef = True
    kconf.load_config(os.path.join(app, "prj.conf"))
    extra = os.path.join(folder, "extra.conf")
    with open(extra, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    kconf.load_config(extra, replace=False)
    expect(not kconf.warnings, kconf.warnings)
    for line in lines:
        name, value = line.removeprefix("CONFIG_").split("=")
        expect(kconf.syms[name].str_value == value, f"{line} has no effect")
    kconf.write_config(os.path.join(folder, ".config"))
    kconf.write_autoconf(os.path.join(folder, "autoconf.h"))
    return kconf


def output_of(folder, app, shell_lines):
    """What the application prints."""
    build = os.path.join(folder, "build")
    for command in (
        ["cmake", "-S", app, "-B", build, f"-DZephyr_DIR={HERE}",
         f"-DCMAKE_C_COMPILER={sys.argv[2]}", f"-DSTAND_IN_MODULE={MODULE}",
         f"-DSTAND_IN_CONFIG={folder}", "-DCMAKE_C_COMPILER_WORKS=ON"],
        ["cmake", "--build", build, "-j", "2"],
    ):
        made = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        expect(made.returncode == 0, made.stdout)
    program = subprocess.run(
        [os.path.join(build, "zephyr_exe")], input=shell_lines, text=True,
        stdout=subprocess.PIPE, timeout=60, check=False)
    expect(program.returncode == 0, program.stdout)
    return program.stdout


def check_keys(name, values):
    for key, value in values.items():
        expect(isinstance(value, KEYS.get(key, ())), f"{name}: {key}: {value}")


def run(name, app, values):
    with tempfile.TemporaryDirectory() as folder:
        kconf = configure(folder, app, values.get("extra_configs", []))
        shell = kconf.syms["BITFIT_SHELL"].str_value == "y"
        said = output_of(folder, app, SHELL_LINES if shell else "")
    wanted = values.get("harness_config", {}).get("regex", [])
    if kconf.syms["ZTEST"].str_value == "y":
        with open(os.path.join(app, "src", "main.c"), encoding="utf-8") as file:
            tests = re.findall(r"^ZTEST\((\w+), (\w+)\)", file.read(), re.M)
        wanted = [rf"PASS - {suite}\.{test}$" for suite, test in tests]
        expect(wanted, f"{name}: no tests")
    if shell:
        wanted = [SHELL_SAYS]
    expect(wanted, f"{name}: nothing to expect")
    expect(re.search("(?ms)" + ".*".join(wanted), said), f"{name}: {said}")
    print(name)


def main():
    count = 0
    with open(os.path.join(MODULE, "module.yml"), encoding="utf-8") as file:
        module = yaml.safe_load(file)
    for root in module["samples"] + module["tests"]:
        for app, _, files in os.walk(os.path.join(ROOT, root)):
            for name in {"sample.yaml", "testcase.yaml"} & set(files):
                with open(os.path.join(app, name), encoding="utf-8") as file:
                    suite = yaml.safe_load(file)
                expect(set(suite) <= TOP, f"{name}: {set(suite) - TOP}")
                common = suite.get("common", {})
                check_keys(name, common)
                for test, values in suite["tests"].items():
                    check_keys(test, values)
                    run(test, app, {**common, **values})
                    count += 1
    expect(count == 5, f"{count} configurations, not 5")


if __name__ == "__main__":
    main()
