//! Puts the reference implementations of the provider archive behind one command, so that tests
//! written in another language can ask what they make of a file.
//!
//! Each call prints one JSON object, and `load-all` one for each file. Exit status 0 means done, 1 a failure of the reference or of
//! a file, 2 wrong usage; for the last two the object is `{"error": "…"}`. A reference that panics
//! adds `"panicked": true`.

mod args;
mod digest;
mod keys;
mod token;
mod v0_16;
mod v0_8;
mod wit;

use args::{Command, Release};
use serde_json::{json, Value};
use std::any::Any;
use std::error::Error;
use std::fs;
use std::future::Future;
use std::panic::{catch_unwind, set_hook, UnwindSafe};
use std::path::Path;
use std::process::ExitCode;

/// What a command prints, or why it cannot. The references' own errors have this type too.
type Outcome<T = Value> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(message) => {
            println!(
                "{}",
                json!({ "error": format!("{message}\n{}", args::USAGE) })
            );
            return ExitCode::from(2);
        }
    };
    // The panic is reported below; the default hook would print it a second time.
    set_hook(Box::new(|_| {}));
    let (report, code) = match outcome(|| run(&command)) {
        Ok(report) => (report, ExitCode::SUCCESS),
        Err(report) => (report, ExitCode::FAILURE),
    };
    // What `load-all` has to say is printed already.
    if !report.is_null() {
        println!("{report}");
    }
    code
}

/// Does some work, and turns an error or a panic of it into a report.
fn outcome(work: impl FnOnce() -> Outcome + UnwindSafe) -> Result<Value, Value> {
    match catch_unwind(work) {
        Ok(Ok(report)) => Ok(report),
        Ok(Err(error)) => Err(json!({ "error": error.to_string() })),
        Err(payload) => Err(json!({ "error": panic_message(&*payload), "panicked": true })),
    }
}

fn run(command: &Command) -> Outcome {
    match command {
        Command::Load {
            release,
            file,
            target,
        } => load(*release, file, target.as_deref()),
        Command::LoadAll { release, folder } => load_all(*release, folder),
        Command::Write { release, order } => {
            match release {
                Release::V0_8 => wait(v0_8::write(order)),
                Release::V0_16 => wait(v0_16::write(order)),
            }?;
            let file = order.destination();
            let sha256 = digest::sha256(&read(&file)?);
            Ok(json!({ "file": file, "sha256": sha256 }))
        }
        Command::Validate { wascap, file } => token::validate(*wascap, read_text(file)?.trim()),
        Command::Keys { file } => keys::describe(read_text(file)?.trim()),
        Command::VerifyKey {
            public_key,
            message,
            signature,
        } => keys::verify(public_key, &read(message)?, read_text(signature)?.trim()),
        Command::Wit { file } => wit::describe(&read(file)?),
    }
}

fn load(release: Release, file: &Path, target: Option<&str>) -> Outcome {
    match release {
        Release::V0_8 => wait(v0_8::load(file, target)),
        Release::V0_16 => wait(v0_16::load(file, target)),
    }
}

/// Loads each file of a folder, and prints one line for it: the report, or the error, with the name.
fn load_all(release: Release, folder: &Path) -> Outcome {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .and_then(|files| files.map(|file| file.map(|file| file.path())).collect())
        .map_err(|error| format!("Cannot read {}: {error}", folder.display()))?;
    paths.sort();
    for path in paths {
        let (Ok(mut report) | Err(mut report)) = outcome(|| load(release, &path, None));
        report["file"] = json!(path.file_name().map(|name| name.to_string_lossy()));
        println!("{report}");
    }
    Ok(Value::Null)
}

/// Runs what the references wrote as async on this thread.
fn wait<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    tokio::runtime::Builder::new_current_thread()
        .build()?
        .block_on(work)
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| format!("Cannot read {}: {error}", path.display()).into())
}

fn read_text(path: &Path) -> Outcome<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| format!("Cannot read {} as text: {error}", path.display()).into())
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    text.unwrap_or("a panic without a message").to_owned()
}
