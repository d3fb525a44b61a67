//! Decodes the FIT files of a folder with the crate fitparser, once and then again and again, and prints what that took.

use std::hint::black_box;

/// The seconds of the processor that this process took so far.
fn used() -> f64 {
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_SELF, &mut usage), 0);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// The most memory that this process had so far, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("a line for it");
    let kib: f64 = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib / 1024.0
}

/// The seconds of one decoding of all files; one that it gives up on costs what it took until then.
fn pass(files: &[Vec<u8>]) -> f64 {
    let begun = used();
    for data in files {
        let _ = black_box(fitparser::from_bytes(data));
    }
    used() - begun
}

fn main() {
    let folder = std::env::args().nth(1).expect("a folder");
    let entries = std::fs::read_dir(folder).expect("a folder");
    let files: Vec<Vec<u8>> = entries.map(|e| std::fs::read(e.expect("an entry").path()).expect("a file")).collect();
    let before = peak();
    pass(&files);
    let (first, highest) = (used(), peak());
    let mut passes = Vec::new();
    while passes.iter().sum::<f64>() < 0.5 {
        passes.push(pass(&files));
    }
    let least = passes.into_iter().fold(f64::INFINITY, f64::min);
    println!("{{\"seconds\": {least}, \"process_s\": {first}, \"peak_mib\": {}}}", highest - before);
}
