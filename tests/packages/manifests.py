#!/usr/bin/env python3
"""usage: manifests.py ROOT

What other systems read of the project is well-formed, has the fields that they
ask for, names what is there, and has the header's version.
"""

import fnmatch
import glob
import json
import os
import re
import sys

import kconfiglib
import yaml

os.chdir(sys.argv[1])
complaints = []


def expect(truth, complaint):
    if not truth:
        complaints.append(complaint)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def field(path, value, name, kind, pattern=".*"):
    """Checks one field, and returns it."""
    found = value.get(name)
    expect(isinstance(found, kind), f"{path}: {name} is no {kind.__name__}")
    if isinstance(found, str):
        expect(re.fullmatch(pattern, found), f"{path}: {name}: {found}")
    return found


def versions(version):
    """Everywhere else the version is written by hand."""
    for path, pattern in (
        ("meson.build", r"version: '([^']*)',\n    license"),
        ("packaging/debian/changelog", r"^bitfit \((.*)-[^-]*\)"),
        ("library.json", r'"version": "([^"]*)"'),
        ("idf_component.yml", r'(?m)^version: "([^"]*)"'),
        ("packaging/arduino/library.properties", r"(?m)^version=(.*)$"),
        ("ports/riot/bitfit/Makefile", r"(?m)^PKG_VERSION = v(.*)$"),
        ("bindings/rust/Cargo.toml", r'(?m)^version = "([^"]*)"'),
        ("docs/man/bitfit.1", r"(?m)^bitfit (\d[\d.]*)$"),
        ("docs/man/bitfit.3", r'(?m)^\.Qq (\d[\d.]*) ;$'),
    ):
        found = re.search(pattern, read(path))
        found = found.group(1) if found else "no version"
        expect(found == version, f"{path} has {found}, the header {version}")


def addresses():
    """The project's address is one, wherever it is written."""
    found = {}
    for path in (
        "CMakeLists.txt", "README.md", "library.json", "idf_component.yml",
        "bindings/rust/Cargo.toml", "packaging/arduino/library.properties",
        "ports/riot/bitfit/Makefile",
    ):
        for address in re.findall(r"https://[^\s\"')>]*bitfit[^\s\"')>]*",
                                  read(path)):
            host = re.sub(r"/bitfit\.git$|/$", "", address)
            found.setdefault(host, []).append(path)
    expect(len(found) == 1, f"the project's address differs: {found}")
    expect(len(set(sum(found.values(), []))) == 7, f"not everywhere: {found}")


def check_arduino():
    path = "packaging/arduino/library.properties"
    fields = dict(line.split("=", 1) for line in read(path).splitlines())
    for name in (
        "name", "version", "author", "maintainer", "sentence", "paragraph",
        "category", "url", "architectures", "includes",
    ):
        expect(fields.get(name), f"{path}: no {name}")
    expect(fields["category"] == "Data Storage" or fields["category"] == "Other",
           f"{path}: {fields['category']} is no category")
    expect(fields["includes"] == "bitfit.h", f"{path}: {fields['includes']}")


def check_zephyr():
    path = "zephyr/module.yml"
    module = yaml.safe_load(read(path))
    field(path, module, "name", str, r"[a-z]\w*")
    build = field(path, module, "build", dict)
    cmake = field(path, build, "cmake", str)
    expect(os.path.exists(f"{cmake}/CMakeLists.txt"), f"{path}: no {cmake}")
    options = kconfiglib.Kconfig(build["kconfig"])
    expect(not options.warnings, f"{build['kconfig']}: {options.warnings}")
    sources = glob.glob("ports/zephyr/*.[ch]") + [f"{cmake}/CMakeLists.txt"]
    used = set(re.findall(r"CONFIG_(BITFIT\w*)", " ".join(map(read, sources))))
    kconfig = read(build["kconfig"])
    used |= set(re.findall(r"default (?:\w+ if )?(BITFIT_\w+)", kconfig))
    unlike = used ^ {symbol.name for symbol in options.unique_defined_syms}
    expect(not unlike, f"Kconfig and those who use it disagree on {unlike}")
    for name in ("samples", "tests"):
        for folder in field(path, module, name, list):
            expect(os.path.isdir(folder), f"{path}: there is no {folder}")


def check_esp_idf():
    path = "idf_component.yml"
    component = yaml.safe_load(read(path))
    field(path, component, "version", str, r"\d+\.\d+\.\d+")
    field(path, component, "description", str)
    field(path, component, "license", str, "MIT")
    for name in ("url", "repository", "documentation", "issues"):
        field(path, component, name, str, r"https://.+")
    for tag in field(path, component, "tags", list):
        expect(re.fullmatch(r"[a-z0-9-]{3,32}", tag), f"{path}: tag {tag}")
    field(path, component["dependencies"], "idf", str, r">=\d+\.\d+")
    for example in field(path, component, "examples", list):
        main = f"{example['path']}/main/idf_component.yml"
        bitfit = yaml.safe_load(read(main))["dependencies"]["bitfit"]["path"]
        found = os.path.normpath(os.path.join(os.path.dirname(main), bitfit))
        expect(found == ".", f"{main}: bitfit is not in {found}")
    options = kconfiglib.Kconfig("ports/esp-idf/Kconfig")
    used = re.findall(r"if (\w+) = y", read("ports/esp-idf/linker.lf"))
    expect(used == [symbol.name for symbol in options.unique_defined_syms],
           f"ports/esp-idf: linker.lf asks for {used}")
    for kept in ("src/bitfit.c", "include/bitfit.h", "cmake/esp-idf.cmake",
                 "ports/esp-idf/linker.lf", "ports/esp-idf/Kconfig"):
        for pattern in component["files"]["exclude"]:
            gone = fnmatch.fnmatch(kept, pattern)
            expect(not gone, f"{path}: {pattern} leaves {kept} out")


def check_platformio():
    path = "library.json"
    library = json.loads(read(path))
    field(path, library, "name", str, r"[a-z0-9]+(-[a-z0-9]+)*")
    field(path, library, "version", str, r"\d+\.\d+\.\d+")
    description = field(path, library, "description", str)
    expect(len(description) <= 255, f"{path}: the description is too long")
    field(path, library, "license", str, "MIT")
    expect(
        os.path.exists("include/" + field(path, library, "headers", str)),
        f"{path}: there is no such header",
    )
    field(path, library, "homepage", str, r"https://.+")
    field(path, library["repository"], "url", str, r"https://.+\.git")
    field(path, library["authors"], "name", str)
    for example in field(path, library, "examples", list):
        for name in example["files"]:
            file = f"{example['base']}/{name}"
            expect(os.path.exists(file), f"{path}: there is no {file}")
            exported = any(
                file.startswith(kept) for kept in library["export"]["include"]
            )
            expect(exported, f"{path}: {file} is not exported")
    build = field(path, library, "build", dict)
    folders = [build["includeDir"], build["srcDir"]]
    for name in folders + library["export"]["include"]:
        expect(os.path.exists(name), f"{path}: there is no {name}")


header = read("include/bitfit.h")
versions(re.search(r'#define BITFIT_VERSION "(.*)"', header).group(1))
check_zephyr()
check_esp_idf()
check_platformio()
check_arduino()
addresses()
for complaint in complaints:
    print(complaint)
sys.exit(bool(complaints))
