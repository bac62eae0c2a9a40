//! Builds the C core, no crate needed. The compiler is `$CC`, and the archiver
//! `$AR`; a name with the target, as in `CC_thumbv7m_none_eabi`, goes first.
//! `$CFLAGS`, likewise, is added. Without these it is `cc` for this machine and
//! the usual cross compiler for another; never `cc` for another.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let core = Path::new(&var("CARGO_MANIFEST_DIR")).join("core");
    let include = core.join("include");
    let out = PathBuf::from(var("OUT_DIR"));
    let tools = Tools::for_target();
    tools.expect_the_targets_machine(&out);
    let objects: Vec<PathBuf> = c_files(&core.join("src"))
        .iter()
        .map(|source| tools.compile(source, &include, &out))
        .collect();
    tools.archive(&objects, &out.join("libbitfit.a"));

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
fn setting(name: &str) -> Option<String> {
    let target = format!("{}_{}", name, var("TARGET").replace('-', "_"));
    println!("cargo:rerun-if-env-changed={}", target);
    println!("cargo:rerun-if-env-changed={}", name);
    env::var(target).or_else(|_| env::var(name)).ok()
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

/// The prefix of the usual cross tools for a target, and what they need to be
/// told of its processor.
fn cross_tools(target: &str) -> Option<(String, &'static str)> {
    let arm = |flags| Some(("arm-none-eabi-".to_string(), flags));
    let riscv = |flags| Some(("riscv64-unknown-elf-".to_string(), flags));
    match target {
        "thumbv6m-none-eabi" => arm("-mthumb -march=armv6s-m"),
        "thumbv7m-none-eabi" => arm("-mthumb -march=armv7-m"),
        "thumbv7em-none-eabi" => arm("-mthumb -march=armv7e-m"),
        "thumbv7em-none-eabihf" => arm("-mthumb -march=armv7e-m+fp \
             -mfloat-abi=hard"),
        "thumbv8m.base-none-eabi" => arm("-mthumb -march=armv8-m.base"),
        "thumbv8m.main-none-eabi" => arm("-mthumb -march=armv8-m.main"),
        "thumbv8m.main-none-eabihf" => arm("-mthumb -march=armv8-m.main+fp \
             -mfloat-abi=hard"),
        "riscv32i-unknown-none-elf" => riscv("-march=rv32i -mabi=ilp32"),
        "riscv32imc-unknown-none-elf" => riscv("-march=rv32imc -mabi=ilp32"),
        "riscv32imac-unknown-none-elf" => riscv("-march=rv32imac -mabi=ilp32"),
        "riscv64imac-unknown-none-elf" => {
            riscv("-march=rv64imac -mabi=lp64 -mcmodel=medany")
        }
        "riscv64gc-unknown-none-elf" => {
            riscv("-march=rv64gc -mabi=lp64d -mcmodel=medany")
        }
        _ => system_tools(target).map(|prefix| (prefix, "")),
    }
}

/// The same for systems, whose tools bear their names: that of the target
/// without its vendor, and with GNU's word for the processor.
fn system_tools(target: &str) -> Option<String> {
    if target == "x86_64-pc-windows-gnu" {
        return Some("x86_64-w64-mingw32-".to_string());
    }
    let (processor, system) = target.split_once("-unknown-linux-")?;
    let processor = match processor {
        "armv7" => "arm",
        "powerpc64le" | "aarch64" | "s390x" | "i686" | "x86_64" | "arm" => {
            processor
        }
        "riscv64gc" => "riscv64",
        _ => return None,
    };
    Some(format!("{}-linux-{}-", processor, system))
}

/// The words with which a compiler and an archiver are called.
struct Tools {
    compiler: String,
    flags: String,
    archiver: String,
}

impl Tools {
    fn for_target() -> Self {
        let target = var("TARGET");
        let (prefix, flags) = if target == var("HOST") {
            (None, "")
        } else {
            match cross_tools(&target) {
                Some((prefix, flags)) => (Some(prefix), flags),
                None => (Some(String::new()), ""),
            }
        };
        let tool = |name, here: &str, cross: &str| {
            setting(name).unwrap_or_else(|| match &prefix {
                None => here.to_string(),
                Some(prefix) if !prefix.is_empty() => prefix.clone() + cross,
                Some(_) => panic!(
                    "bitfit: name a C compiler for {} in CC_{}, and its \
                     archiver in AR_{1}",
                    target,
                    target.replace('-', "_")
                ),
            })
        };
        Tools {
            compiler: tool("CC", "cc", "gcc"),
            flags: format!(
                "{} {}",
                flags,
                setting("CFLAGS").unwrap_or_default()
            ),
            archiver: tool("AR", "ar", "ar"),
        }
    }

    /// The compiler with all that every file is compiled with.
    fn compiler(&self) -> Command {
        // An enum is an int, on boards too: src/ffi.rs counts on it. The choice
        // between two processors needs libgcc, which not every program links.
        let mut command = command(&self.compiler);
        command.args(["-std=c11", "-O2", "-fno-short-enums"]);
        command.arg("-DBITFIT_NO_CLONES");
        if var("CARGO_CFG_TARGET_OS") == "none" {
            command.arg("-ffreestanding");
        } else if var("CARGO_CFG_TARGET_FAMILY") == "unix" {
            command.args(["-fPIC", "-pthread"]);
        }
        command.args(self.flags.split_whitespace());
        command
    }

    /// What C compilers define for the target.
    fn macros_of_the_target() -> &'static str {
        match &var("CARGO_CFG_TARGET_ARCH")[..] {
            "x86_64" => "defined __x86_64__",
            "x86" => "defined __i386__",
            "arm" if var("TARGET").starts_with("thumb") => {
                "defined __arm__ && defined __thumb__"
            }
            "arm" => "defined __arm__",
            "aarch64" => "defined __aarch64__",
            "riscv32" => "defined __riscv && __riscv_xlen == 32",
            "riscv64" => "defined __riscv && __riscv_xlen == 64",
            "powerpc64" => "defined __powerpc64__",
            "s390x" => "defined __s390x__",
            "wasm32" => "defined __wasm32__",
            _ => "1",
        }
    }

    /// A compiler for another machine would be noticed by the linker, if at all.
    fn expect_the_targets_machine(&self, out: &Path) {
        let probe = out.join("machine.c");
        let text = format!(
            "#if !({})\n#error another machine\n#endif\n\
             _Static_assert(sizeof(void *) == {} / 8, \"pointers\");\n",
            Self::macros_of_the_target(),
            var("CARGO_CFG_TARGET_POINTER_WIDTH")
        );
        fs::write(&probe, text)
            .unwrap_or_else(|e| panic!("{}: {}", probe.display(), e));
        let mut command = self.compiler();
        command
            .arg("-c")
            .arg(&probe)
            .arg("-o")
            .arg(out.join("machine.o"));
        let target = var("TARGET");
        match command.output() {
            Ok(output) if output.status.success() => {}
            Ok(output) => panic!(
                "bitfit: {} does not compile for {}; name one that does in \
                 CC_{}\n{}",
                self.compiler,
                target,
                target.replace('-', "_"),
                String::from_utf8_lossy(&output.stderr)
            ),
            Err(error) => panic!(
                "bitfit: no C compiler for {}: {}: {}; name one in CC_{}",
                target,
                self.compiler,
                error,
                target.replace('-', "_")
            ),
        }
    }

    fn compile(&self, source: &Path, include: &Path, out: &Path) -> PathBuf {
        let name = source.file_stem().expect("a C file has a name");
        let object = out.join(name).with_extension("o");
        let mut command = self.compiler();
        command.arg("-I").arg(include).arg("-c").arg(source);
        run(command.arg("-o").arg(&object));
        object
    }

    fn archive(&self, objects: &[PathBuf], library: &Path) {
        run(command(&self.archiver)
            .arg("crs")
            .arg(library)
            .args(objects));
    }
}

/// A tool's name may hold arguments too, as in `CC="ccache cc"`.
fn command(tool: &str) -> Command {
    let mut words = tool.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or("cc"));
    command.args(words);
    command
}

fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|e| panic!("{:?}: {}", command, e));
    assert!(status.success(), "{:?}: {}", command, status);
}
