//! Class `generate`: new devices, by number and from a CSV file, to a file on all threads, beside a plain write of as many bytes.
//!
//! In bytes of output a second: there is little or no input.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

use std::io::Write as _;
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubmill_device::AuthenticationType;
use hubmill_generate::{Check, Csv, Devices, Findings, Made, Make, Plan, Request, Rows};
use hubmill_parser::Level;
use hubmill_pipeline::{Drain, Flow, run_from};
use hubmill_writer::{Access, Error, Pending, Sink, Sync, commit_all};

const DEVICES: u64 = 20_000;

struct Write<'p> {
    output: Sink,
    devices: u64,
    findings: Option<Findings<'p>>,
}

impl<'p> Drain<Made, Devices<'p>> for Write<'_> {
    type Error = Error;

    fn drain(&mut self, rows: &Rows, _: usize, made: &Made) -> Result<Flow, Error> {
        if let Some(findings) = &mut self.findings {
            findings.take(rows, made, |found| panic!("nothing is wrong: {found:?}"));
        }
        self.output.write(&made.output)?;
        self.devices += made.devices;
        Ok(Flow::Continue)
    }
}

fn plan(request: Request, csv: Option<Csv>) -> Plan {
    let request = Request { key_bytes: 32, ..request };
    Plan::new(request, csv).expect("the list can be read").expect("the request can be met")
}

/// How many devices were made, checked where they come from a list, and how many bytes they take.
fn generate(plan: &Plan, to: &Path, threads: usize) -> (u64, u64) {
    let pending = Pending::default();
    let output = Sink::create(to, Access::Private, &pending).expect("a folder to write to");
    let check = plan.csv().map(|_| Check::new(plan, Level::detect(), false));
    let make = check.as_ref().map_or_else(|| Make::new(plan), |check| Make::checked(check, true));
    let mut drain = Write { output, devices: 0, findings: check.as_ref().map(Findings::new) };
    let whole = run_from(&Devices::new(plan), threads, &make, &mut drain);
    assert!(whole.expect("making and writing work"));
    if let Some(findings) = &mut drain.findings {
        assert_eq!(findings.finish(threads, |_| {}).devices, drain.devices);
    }
    let made = (drain.devices, drain.output.bytes());
    commit_all(vec![drain.output], Sync::BySystem, &pending).expect("the file can be put in place");
    made
}

/// A list of devices, and how many bytes the lines of them have beside what is the same for all.
fn list(path: &Path) -> Csv {
    let mut text = b"id,tags.site,tags.serial,properties.desired.interval\n".to_vec();
    for number in 0..DEVICES {
        writeln!(text, "pump-{number:06},site {:02},{:04},{}", number % 50, number % 10_000, 10 + number % 90)
            .expect("a vector takes all");
    }
    std::fs::write(path, text).expect("room for the list");
    Csv::open(path).expect("the list can be read")
}

fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("generate");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let to = folder.path().join("out");
    let by_number = |request: Request| plan(Request { count: Some(DEVICES), ..request }, None);
    let plans = [
        ("sas", by_number(Request::default()), 285),
        (
            "ca",
            by_number(Request { authentication: Some(AuthenticationType::CertificateAuthority), ..Request::default() }),
            218,
        ),
        ("sas-uuid", by_number(Request { id: Some("{uuid}".to_owned()), ..Request::default() }), 307),
    ];
    for (name, plan, line_bytes) in &plans {
        let bytes = DEVICES * line_bytes;
        assert_eq!(plan.bytes(), Some(bytes), "{name}");
        group.throughput(Throughput::Bytes(bytes));
        let zeros = vec![0; bytes as usize];
        group.bench_function(BenchmarkId::new("plain-write", name), |bencher| {
            bencher.iter(|| std::fs::write(&to, &zeros).expect("room for the bytes"));
        });
        for threads in [1, 2] {
            group.bench_function(BenchmarkId::new(format!("make-{threads}"), name), |bencher| {
                bencher.iter(|| assert_eq!(generate(plan, &to, threads), (DEVICES, bytes)));
            });
        }
    }
    let plan = plan(Request::default(), Some(list(&folder.path().join("list.csv"))));
    let (_, bytes) = generate(&plan, &to, 1);
    group.throughput(Throughput::Bytes(bytes));
    let zeros = vec![0; bytes as usize];
    group.bench_function(BenchmarkId::new("plain-write", "csv"), |bencher| {
        bencher.iter(|| std::fs::write(&to, &zeros).expect("room for the bytes"));
    });
    for threads in [1, 2] {
        group.bench_function(BenchmarkId::new(format!("make-{threads}"), "csv"), |bencher| {
            bencher.iter(|| assert_eq!(generate(&plan, &to, threads), (DEVICES, bytes)));
        });
    }
}

criterion_group!(all, benches);
criterion_main!(all);
