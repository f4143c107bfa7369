//! Starts beside those of other runtimes, in one run on one machine.

use std::{path::Path, time::Instant};

use tests::Function;

use crate::{
    process::{cpu, memory, program},
    start::tenths,
};

/// Starts of each, one after another in turn.
const STARTS: usize = 51;

/// Prints the middle start of each command, and how many times the first one's it is.
pub async fn run(commands: &[&str]) -> bool {
    let mut starts = vec![Vec::new(); commands.len()];
    for _ in 0..STARTS {
        for (command, starts) in commands.iter().zip(&mut starts) {
            let mut words = command.split(' ');
            let mut program = program(Path::new(words.next().unwrap()));
            let began = Instant::now();
            let function = Function::start(program.args(words)).await.unwrap();
            let wall = u64::try_from(began.elapsed().as_micros()).unwrap();
            starts.push((cpu(&function), wall, memory(&function)));
            function.end().await;
        }
    }
    println!("| Start of | CPU, ms | Time, ms | Memory, MiB | CPU, times the first |\n|---|---:|---:|---:|---:|");
    let first = middle(&starts[0], |start| start.0);
    for (command, starts) in commands.iter().zip(&starts) {
        let (cpu, wall, memory) =
            (middle(starts, |start| start.0), middle(starts, |start| start.1), middle(starts, |start| start.2));
        let [cpu_ms, wall, times] = [tenths(cpu, 1000), tenths(wall, 1000), tenths(cpu, first)];
        println!("| `{command}` | {cpu_ms} | {wall} | {} | {times} |", tenths(memory, 1024));
    }
    true
}

fn middle(starts: &[(u64, u64, u64)], of: impl Fn(&(u64, u64, u64)) -> u64) -> u64 {
    let mut values: Vec<u64> = starts.iter().map(of).collect();
    values.sort_unstable();
    values[values.len() / 2]
}
