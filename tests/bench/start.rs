//! What each function costs before its first event.

use std::{collections::BTreeSet, ffi::OsString, fs, path::Path};

use tests::Function;
use tokio::process::Command;

use crate::process::{counted, cpu, memory, program, under_valgrind};

/// Starts of which the middle one's processor time counts.
const STARTS: usize = 21;

/// Prints the table, of one program or of every function in a folder; whether all stay below the ceilings.
pub async fn run(place: &Path, most_instructions: u64, most_zipped: u64) -> bool {
    println!("| Function | Instructions | CPU, ms | Memory, MiB | Bytes | Bytes zipped |\n|---|---:|---:|---:|---:|---:|");
    let mut good = true;
    let paths = if place.is_file() { vec![place.to_owned()] } else { functions().map(|name| place.join(name)).collect() };
    for path in paths {
        let name = path.file_name().unwrap().display();
        let (bytes, zipped) = (fs::metadata(&path).unwrap().len(), zipped(&path).await);
        let instructions = counted(Function::start(&mut under_valgrind(&path)).await.unwrap()).await;
        let (mut times, mut most_memory) = (Vec::new(), 0);
        for _ in 0..STARTS {
            let function = Function::start(&mut program(&path)).await.unwrap();
            times.push(cpu(&function));
            most_memory = most_memory.max(memory(&function));
            function.end().await;
        }
        times.sort_unstable();
        let (cpu, memory) = (tenths(times[STARTS / 2], 1000), tenths(most_memory, 1024));
        println!("| {name} | {instructions} | {cpu} | {memory} | {bytes} | {zipped} |");
        for (what, cost, most) in [("instructions", instructions, most_instructions), ("bytes zipped", zipped, most_zipped)] {
            if cost > most {
                eprintln!("{name}: {cost} {what} are more than {most}");
                good = false;
            }
        }
    }
    good
}

/// The functions, by name.
fn functions() -> impl Iterator<Item = OsString> {
    let folders = fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../functions")).unwrap();
    let names: BTreeSet<_> = folders.map(|folder| folder.unwrap().file_name()).collect();
    names.into_iter()
}

/// Bytes after the best that deflate does.
async fn zipped(path: &Path) -> u64 {
    let zipped = Command::new("gzip").arg("-9c").arg(path).output().await.unwrap();
    zipped.stdout.len() as u64
}

/// A quotient with one decimal.
pub fn tenths(value: u64, unit: u64) -> String {
    let tenths = (value * 10 + unit / 2) / unit;
    format!("{}.{}", tenths / 10, tenths % 10)
}
