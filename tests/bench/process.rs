//! What the system says of a running process.

use std::{fs, path::Path};

use tests::{Function, variables};
use tokio::process::Command;

/// A program with the environment of a function and nothing else.
pub fn program(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env_clear().envs(variables(path));
    command
}

/// The most memory that it has held, KiB.
pub fn memory(function: &Function) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", function.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The processor time that its threads have taken, microseconds.
pub fn cpu(function: &Function) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{}/task", function.pid())).unwrap();
    let nanos = tasks.map(|task| {
        let times = fs::read_to_string(task.unwrap().path().join("schedstat")).unwrap();
        times.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    nanos.sum::<u64>() / 1000
}

/// The same under valgrind, which counts the instructions: as many on every machine of one architecture.
pub fn under_valgrind(path: &Path) -> Command {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(path);
    valgrind.env_clear().envs(variables(path));
    valgrind
}

/// What valgrind counted of a function, which it ends.
pub async fn counted(function: Function) -> u64 {
    let said = function.end().await.stderr;
    let (_, count) = said.lines().find_map(|line| line.split_once("Collected : ")).unwrap();
    count.trim().parse().unwrap()
}
