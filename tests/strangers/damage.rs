//! Parquet files damaged at random, in every input: a run ends with 0 or 3, soon, in bounded memory, in one
//! clear message.
//!
//! `DAMAGE_CASES` sets how many; `DAMAGE_SEED` runs one of them again.

#[path = "../fuzz/reading.rs"]
mod reading;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{WriterProperties, WriterVersion};

use crate::audit::from_environment;
use crate::audit::random::Random;
use crate::support::Table;
use crate::support::book::{Book, TODAY, YESTERDAY, delivered, table};
use crate::support::thrift::{Value, footer, with_footer};

/// Of a plain `cargo test`; what lands is tried with ten times as many.
const CASES: u64 = 500;

/// Times as long as a run of the whole file may take on a busy machine.
const MOST_SECONDS: u64 = 30;

/// Address space in kB: a run that is told to make room for more ends.
const MOST_KILOBYTES: u64 = 4 << 20;

const FILES: [(&str, &str); 5] = [
    ("transactions", YESTERDAY),
    ("transactions", TODAY),
    ("repayments", TODAY),
    ("lines", TODAY),
    ("issued", YESTERDAY),
];

const ISSUED: &str = "
    1  card  150000  active     2026-11-21
    2  loan   50000  suspended  2026-11-19
";

/// A plain book with an `issued` input, each file written in one of several ways.
fn book(random: &mut Random) -> Book {
    let book = Book::new();
    book.edit("job.toml", "\n[output]", "issued = \"in/issued/date={date}/*.parquet\"\n\n[output]");
    let columns = {
        use arrow_schema::DataType::{Date32, Int64, Utf8};
        [
            ("account_id", Int64),
            ("product", Utf8),
            ("new_limit", Int64),
            ("new_status", Utf8),
            ("effective_on", Date32),
        ]
    };
    book.deliver("issued", YESTERDAY, &table(&columns, ISSUED));
    for (input, date) in FILES {
        let path = book.path().join(delivered(input, date));
        Table::read(&path).write_with(&path, properties(random));
    }
    book
}

fn properties(random: &mut Random) -> WriterProperties {
    let compressions = [
        Compression::UNCOMPRESSED,
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(Default::default()),
        Compression::GZIP(Default::default()),
        Compression::BROTLI(Default::default()),
        Compression::LZ4_RAW,
    ];
    let versions = [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0];
    let mut builder = WriterProperties::builder()
        .set_compression(random.pick(&compressions))
        .set_writer_version(random.pick(&versions))
        .set_dictionary_enabled(random.chance(60))
        .set_max_row_group_row_count(random.maybe(30, &[1, 2]));
    for text in ["kind", "category", "product", "status", "segment", "new_status"] {
        let encodings = [Encoding::PLAIN, Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_LENGTH_BYTE_ARRAY];
        builder = builder.set_column_encoding(text.into(), random.pick(&encodings));
    }
    builder.build()
}

/// Damages a file's bytes and says how.
fn damage(file: &mut Vec<u8>, random: &mut Random) -> &'static str {
    match random.below(8) {
        0 | 1 => {
            for _ in 0..=random.below(3) {
                let at = random.below(file.len());
                file[at] ^= 1 << random.below(8);
            }
            "bits"
        }
        2 => {
            file.truncate(random.below(file.len()));
            "cut off"
        }
        3 => {
            let (from, to) = (random.below(file.len()), random.below(file.len()));
            let piece = file[from..(from + 1 + random.below(64)).min(file.len())].to_vec();
            let replaced = if random.chance(50) { to..(to + piece.len()).min(file.len()) } else { to..to };
            file.splice(replaced, piece);
            "spliced"
        }
        4 => {
            let at = random.below(file.len());
            let extreme = random.pick(&[[0xff; 8], [0; 8], [0x7f; 8], [0x80, 0, 0, 0, 0, 0, 0, 0x80]]);
            let end = (at + 8).min(file.len());
            file[at..end].copy_from_slice(&extreme[..end - at]);
            "overwritten"
        }
        _ => {
            let mut changed = footer(file);
            for _ in 0..=random.below(2) {
                change_footer(&mut changed, random);
            }
            *file = with_footer(file, &changed.to_bytes());
            "footer"
        }
    }
}

/// Gives a number another value, or takes, doubles or moves what is in a list or structure.
fn change_footer(footer: &mut Value, random: &mut Random) {
    if random.chance(70) {
        let mut numbers = footer.integers();
        let number = random.below(numbers.len());
        let near = *numbers[number] + random.between(-2, 2);
        let extremes = [-1, 0, 1, 255, i64::from(i32::MAX), 1 << 31, 1 << 60, i64::MAX, i64::MIN, near, near];
        *numbers[number] = random.pick(&extremes);
        return;
    }
    let mut value = footer;
    for _ in 0..=random.below(5) {
        value = match value {
            Value::List(_, items) if !items.is_empty() => {
                let at = random.below(items.len());
                match random.below(4) {
                    0 => drop(items.remove(at)),
                    1 => items.push(items[at].clone()),
                    2 => items.swap(0, at),
                    _ => {}
                }
                match items.last_mut() {
                    Some(last) => last,
                    None => return,
                }
            }
            Value::Struct(fields) if !fields.is_empty() => {
                let at = random.below(fields.len());
                match random.below(8) {
                    0 => {
                        fields.remove(at);
                        return;
                    }
                    1 => fields[at].0 = random.between(0, 12),
                    _ => {}
                }
                &mut fields[at].1
            }
            Value::Binary(bytes) => {
                bytes.extend([0xff, 0, b'\n']);
                return;
            }
            _ => return,
        };
    }
}

/// Damages one file of a book and runs it; what is wrong with how that ends.
fn try_one(seed: u64) -> Result<i32, String> {
    let mut random = Random::new(seed);
    let book = book(&mut random);
    let (input, date) = random.pick(&FILES);
    let path = book.path().join(delivered(input, date));
    let mut file = fs::read(&path).unwrap();
    let how = damage(&mut file, &mut random);
    fs::write(&path, file).unwrap();
    let ended = run(book.path())?;
    let told =
        |what: &str| format!("{input} of {date}, {how}: {what}: exit {}\n{}", ended.exit, ended.stderr);
    // The name of a column that only the job knows is the job's matter.
    let is_misnamed = ended.exit == 2 && ended.stderr.contains("there is no column `");
    if ![0, 3].contains(&ended.exit) && !is_misnamed {
        return Err(told("no exit of the contract"));
    }
    if ended.stderr.contains("panicked") {
        return Err(told("it panics"));
    }
    let messages = ended.stderr.lines().filter(|line| line.starts_with("error: ")).count();
    let is_one_message = messages == usize::from(ended.exit != 0);
    if !is_one_message {
        return Err(told("not one clear message"));
    }
    Ok(ended.exit)
}

struct Ended {
    exit: i32,
    stderr: String,
}

/// Runs today's night with little memory and little time.
fn run(directory: &Path) -> Result<Ended, String> {
    let stderr = directory.join("stderr");
    let limited = format!("ulimit -v {MOST_KILOBYTES}; exec \"$0\" run job.toml --date {TODAY} --threads 2");
    let mut run = Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_rescore")])
        .current_dir(directory)
        .env_remove("RESCORE_LOG")
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(fs::File::create(&stderr).unwrap())
        .spawn()
        .unwrap();
    let started = Instant::now();
    let exit = loop {
        if let Some(status) = run.try_wait().unwrap() {
            break status.code().unwrap_or(-1);
        }
        if started.elapsed() > Duration::from_secs(MOST_SECONDS) {
            run.kill().unwrap();
            run.wait().unwrap();
            return Err("it hangs".into());
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let stderr = String::from_utf8(fs::read(stderr).unwrap()).map_err(|_| "stderr is no text")?;
    Ok(Ended { exit, stderr })
}

#[test]
fn damaged_files_end_a_run_with_0_or_3() {
    if let Some(seed) = from_environment::<u64>("DAMAGE_SEED") {
        println!("exit {}", try_one(seed).unwrap());
        return;
    }
    let cases = from_environment("DAMAGE_CASES").unwrap_or(CASES);
    let next = AtomicU64::new(0);
    let refused = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= cases {
                return;
            }
            let exit = try_one(seed).unwrap_or_else(|what| panic!("DAMAGE_SEED={seed}: {what}"));
            refused.fetch_add(u64::from(exit != 0), Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let refused = refused.into_inner();
    println!("{refused} of {cases} damaged files were refused");
    // Else the damage does none.
    assert!(refused * 2 > cases && refused < cases, "{refused} of {cases}");
}

/// Where a fuzzer begins.
fn corpus() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/parquet")
}

#[test]
fn the_corpus_of_the_fuzzer_is_read() {
    for entry in fs::read_dir(corpus()).unwrap() {
        let path = entry.unwrap().path();
        reading::read(&path).unwrap_or_else(|error| panic!("{error:#}"));
    }
}

#[test]
#[ignore = "writes the corpus of the fuzzer anew"]
fn the_corpus_of_the_fuzzer() {
    fs::create_dir_all(corpus()).unwrap();
    for seed in 0..4 {
        let book = book(&mut Random::new(seed));
        for (input, date) in FILES {
            let path = book.path().join(delivered(input, date));
            fs::copy(path, corpus().join(format!("{input}-{date}-{seed}.parquet"))).unwrap();
        }
    }
}
