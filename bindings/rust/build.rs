//! Builds the C core with the system's compiler, no crate needed: `$CC` and
//! `$AR`, or `cc` and `ar`; a name with the target, as in
//! `CC_thumbv7m_none_eabi`, goes first. `$CFLAGS`, likewise, is added.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let core = Path::new(&var("CARGO_MANIFEST_DIR")).join("core");
    let include = core.join("include");
    let out = PathBuf::from(var("OUT_DIR"));
    let objects: Vec<PathBuf> = c_files(&core.join("src"))
        .iter()
        .map(|source| compile(source, &include, &out))
        .collect();
    archive(&objects, &out.join("libbitfit.a"));

    println!("cargo:rerun-if-changed={}", core.join("src").display());
    println!("cargo:rerun-if-changed={}", include.display());
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=bitfit");
    println!("cargo:include={}", include.display());
}

/// A variable that cargo always sets.
fn var(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{} is not set", name))
}

/// A tool or its flags as the user sets them, for the target or for all.
fn setting(name: &str, default: &str) -> String {
    let target = format!("{}_{}", name, var("TARGET").replace('-', "_"));
    println!("cargo:rerun-if-env-changed={}", target);
    println!("cargo:rerun-if-env-changed={}", name);
    env::var(target)
        .or_else(|_| env::var(name))
        .unwrap_or_else(|_| default.to_string())
}

fn c_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {}", folder.display(), e));
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().map_or(false, |e| e == "c"))
        .collect();
    files.sort();
    files
}

fn compile(source: &Path, include: &Path, out: &Path) -> PathBuf {
    let name = source.file_stem().expect("a C file has a name");
    let object = out.join(name).with_extension("o");
    // An enum is an int, on boards too: src/ffi.rs counts on it.
    let mut command = tool("CC", "cc");
    command.args(["-std=c11", "-O2", "-fno-short-enums"]);
    if var("CARGO_CFG_TARGET_OS") == "none" {
        command.arg("-ffreestanding");
    } else if var("CARGO_CFG_TARGET_FAMILY") == "unix" {
        command.args(["-fPIC", "-pthread"]);
    }
    command.args(setting("CFLAGS", "").split_whitespace());
    command.arg("-I").arg(include).arg("-c").arg(source);
    run(command.arg("-o").arg(&object));
    object
}

fn archive(objects: &[PathBuf], library: &Path) {
    run(tool("AR", "ar").arg("crs").arg(library).args(objects));
}

/// The setting may hold arguments too, as in `CC="ccache cc"`.
fn tool(name: &str, default: &str) -> Command {
    let setting = setting(name, default);
    let mut words = setting.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or(default));
    command.args(words);
    command
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("{:?}: {}", command, e));
    assert!(status.success(), "{:?}: {}", command, status);
}
