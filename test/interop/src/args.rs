//! The command line.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

pub const USAGE: &str = "\
par-interop load 0.8|0.16 FILE [--target TARGET]
par-interop load-all 0.8|0.16 FOLDER
par-interop write 0.8|0.16 --out FILE --name NAME --vendor VENDOR --issuer SEED_FILE
    --subject SEED_FILE [--capid ID] [--rev INTEGER] [--ver TEXT] [--schema JSON_FILE]
    [--wit FILE] [--compress] [TARGET=PATH]...
par-interop validate TOKEN_FILE [--wascap 0.11|0.15|0.16]
par-interop keys SEED_FILE
par-interop verify-key PUBLIC_KEY MESSAGE_FILE SIGNATURE_HEX_FILE
par-interop wit FILE";

/// What to do, checked as far as the command line alone allows.
#[derive(Debug, PartialEq)]
pub enum Command {
    Load {
        release: Release,
        file: PathBuf,
        target: Option<String>,
    },
    LoadAll {
        release: Release,
        folder: PathBuf,
    },
    Write {
        release: Release,
        order: Order,
    },
    Validate {
        wascap: Wascap,
        file: PathBuf,
    },
    Keys {
        file: PathBuf,
    },
    VerifyKey {
        public_key: String,
        message: PathBuf,
        signature: PathBuf,
    },
    Wit {
        file: PathBuf,
    },
}

/// A release line of provider-archive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Release {
    V0_8,
    V0_16,
}

/// A release line of wascap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wascap {
    V0_11,
    V0_15,
    V0_16,
}

/// An archive to write.
#[derive(Debug, PartialEq)]
pub struct Order {
    pub out: PathBuf,
    pub compress: bool,
    pub name: String,
    pub vendor: String,
    pub capid: Option<String>,
    pub rev: Option<i32>,
    pub ver: Option<String>,
    pub schema: Option<PathBuf>,
    pub wit: Option<PathBuf>,
    pub issuer: PathBuf,
    pub subject: PathBuf,
    pub binaries: Vec<(String, PathBuf)>,
}

impl Order {
    /// Names the file that will be written: the references append `.gz` on their own.
    pub fn destination(&self) -> PathBuf {
        if !self.compress || self.out.extension() == Some(OsStr::new("gz")) {
            return self.out.clone();
        }
        let mut path = self.out.clone().into_os_string();
        path.push(".gz");
        path.into()
    }
}

/// Reads the command line after the program's name.
pub fn parse(args: impl Iterator<Item = OsString>) -> Result<Command, String> {
    let mut args = args.map(|arg| {
        arg.into_string()
            .map_err(|arg| format!("Cannot use {}: it is not UTF-8", arg.to_string_lossy()))
    });
    let name = args.next().ok_or("Cannot start: no command is given")??;
    let mut given = Given::read(args, &name)?;
    let command = match name.as_str() {
        "load" => Command::Load {
            release: given.release()?,
            file: given.path("FILE")?,
            target: given.option("--target"),
        },
        "load-all" => Command::LoadAll {
            release: given.release()?,
            folder: given.path("FOLDER")?,
        },
        "write" => Command::Write {
            release: given.release()?,
            order: given.order()?,
        },
        "validate" => Command::Validate {
            wascap: given.wascap()?,
            file: given.path("TOKEN_FILE")?,
        },
        "keys" => Command::Keys {
            file: given.path("SEED_FILE")?,
        },
        "verify-key" => Command::VerifyKey {
            public_key: given.positional("PUBLIC_KEY")?,
            message: given.path("MESSAGE_FILE")?,
            signature: given.path("SIGNATURE_HEX_FILE")?,
        },
        "wit" => Command::Wit {
            file: given.path("FILE")?,
        },
        other => return Err(format!("Cannot run {other:?}: there is no such command")),
    };
    match given.positionals.next() {
        Some(extra) => Err(format!("Cannot use {extra:?}: it is one argument too many")),
        None => Ok(command),
    }
}

/// Lists the options of a command that take a value.
fn options_of(command: &str) -> &'static [&'static str] {
    match command {
        "load" => &["--target"],
        "write" => &[
            "--out",
            "--name",
            "--vendor",
            "--issuer",
            "--subject",
            "--capid",
            "--rev",
            "--ver",
            "--schema",
            "--wit",
        ],
        "validate" => &["--wascap"],
        _ => &[],
    }
}

/// The arguments of one command, sorted into kinds.
struct Given {
    positionals: std::vec::IntoIter<String>,
    options: BTreeMap<&'static str, String>,
    compress: bool,
}

impl Given {
    fn read(
        mut args: impl Iterator<Item = Result<String, String>>,
        command: &str,
    ) -> Result<Self, String> {
        let mut positionals = Vec::new();
        let mut options = BTreeMap::new();
        let mut compress = false;
        while let Some(arg) = args.next().transpose()? {
            if !arg.starts_with("--") {
                positionals.push(arg);
            } else if arg == "--compress" && command == "write" {
                compress = true;
            } else {
                let option = options_of(command)
                    .iter()
                    .find(|known| **known == arg)
                    .ok_or_else(|| format!("Cannot use {arg}: {command} has no such option"))?;
                let value = args
                    .next()
                    .ok_or_else(|| format!("Cannot use {arg}: its value is missing"))??;
                if options.insert(*option, value).is_some() {
                    return Err(format!("Cannot use {arg}: it is given twice"));
                }
            }
        }
        Ok(Self {
            positionals: positionals.into_iter(),
            options,
            compress,
        })
    }

    fn positional(&mut self, what: &str) -> Result<String, String> {
        self.positionals
            .next()
            .ok_or_else(|| format!("Cannot start: {what} is missing"))
    }

    fn path(&mut self, what: &str) -> Result<PathBuf, String> {
        self.positional(what).map(PathBuf::from)
    }

    fn option(&mut self, name: &str) -> Option<String> {
        self.options.remove(name)
    }

    fn required(&mut self, name: &str) -> Result<String, String> {
        self.option(name)
            .ok_or_else(|| format!("Cannot start: {name} is missing"))
    }

    fn release(&mut self) -> Result<Release, String> {
        match self.positional("the release")?.as_str() {
            "0.8" => Ok(Release::V0_8),
            "0.16" => Ok(Release::V0_16),
            other => Err(format!("Cannot use release {other:?}: give 0.8 or 0.16")),
        }
    }

    fn wascap(&mut self) -> Result<Wascap, String> {
        match self.option("--wascap").as_deref() {
            Some("0.11") => Ok(Wascap::V0_11),
            Some("0.15") => Ok(Wascap::V0_15),
            Some("0.16") | None => Ok(Wascap::V0_16),
            Some(other) => Err(format!(
                "Cannot use wascap {other:?}: give 0.11, 0.15 or 0.16"
            )),
        }
    }

    fn order(&mut self) -> Result<Order, String> {
        Ok(Order {
            out: self.required("--out")?.into(),
            compress: self.compress,
            name: self.required("--name")?,
            vendor: self.required("--vendor")?,
            capid: self.option("--capid"),
            rev: self
                .option("--rev")
                .map(|text| {
                    text.parse()
                        .map_err(|error| format!("Cannot use --rev {text:?}: {error}"))
                })
                .transpose()?,
            ver: self.option("--ver"),
            schema: self.option("--schema").map(PathBuf::from),
            wit: self.option("--wit").map(PathBuf::from),
            issuer: self.required("--issuer")?.into(),
            subject: self.required("--subject")?.into(),
            binaries: self
                .positionals
                .by_ref()
                .map(|pair| match pair.split_once('=') {
                    Some((target, path)) => Ok((target.to_owned(), path.into())),
                    None => Err(format!("Cannot use {pair:?}: give TARGET=PATH")),
                })
                .collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_and_positionals_mix() {
        let expected = Ok(Command::Load {
            release: Release::V0_16,
            file: "a.par".into(),
            target: Some("x86_64-linux".into()),
        });
        assert_eq!(parsed("load 0.16 a.par --target x86_64-linux"), expected);
        assert_eq!(parsed("load --target x86_64-linux 0.16 a.par"), expected);
    }

    #[test]
    fn validation_is_by_the_newest_wascap_unless_told() {
        let with = |wascap| {
            Ok(Command::Validate {
                wascap,
                file: "t".into(),
            })
        };
        assert_eq!(parsed("validate t"), with(Wascap::V0_16));
        assert_eq!(parsed("validate t --wascap 0.11"), with(Wascap::V0_11));
    }

    #[test]
    fn wrong_usage_is_told_apart() {
        for (line, reason) in [
            ("", "no command"),
            ("list", "no such command"),
            ("load 0.9 a.par", "give 0.8 or 0.16"),
            ("load 0.8", "FILE is missing"),
            ("load 0.8 a b", "one argument too many"),
            ("load-all 0.8", "FOLDER is missing"),
            ("load-all 0.8 a --target x", "no such option"),
            ("load 0.8 a --target", "its value is missing"),
            ("load 0.8 a --target x --target y", "given twice"),
            ("load 0.8 a --compress", "no such option"),
            ("validate t --wascap 0.12", "give 0.11, 0.15 or 0.16"),
            ("write 0.8 --name n", "--out is missing"),
            (
                "write 0.8 --out o --name n --vendor v --issuer i --subject s --rev 1.0",
                "Cannot use --rev",
            ),
            (
                "write 0.8 --out o --name n --vendor v --issuer i --subject s linux.so",
                "give TARGET=PATH",
            ),
        ] {
            let message = parsed(line).unwrap_err();
            assert!(message.contains(reason), "{line:?} gives {message:?}");
        }
    }

    #[test]
    fn the_destination_gets_the_suffix_the_references_append() {
        let destination = |out: &str| {
            let line = format!("write 0.8 --out {out} --name n --vendor v --issuer i --subject s");
            let name = |line: &str| match parsed(line) {
                Ok(Command::Write { order, .. }) => order.destination(),
                other => panic!("{other:?}"),
            };
            (name(&line), name(&format!("{line} --compress")))
        };
        assert_eq!(destination("a.par"), ("a.par".into(), "a.par.gz".into()));
        assert_eq!(destination("a.gz"), ("a.gz".into(), "a.gz".into()));
        assert_eq!(destination("d/a"), ("d/a".into(), "d/a.gz".into()));
    }
}
