//! The command line.

pub const USAGE: &str = "\
http-echo-provider [--listen ADDRESS]   serve there (127.0.0.1:8080; port 0 takes a free one)
http-echo-provider --version
http-echo-provider --help";

#[derive(Debug, PartialEq)]
pub enum Command {
    Serve(String),
    Version,
    Help,
}

/// Reads the command line after the program's name.
pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut address = "127.0.0.1:8080".to_owned();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" => return Ok(Command::Help),
            "--version" => return Ok(Command::Version),
            "--listen" => {
                address = args
                    .next()
                    .ok_or("Cannot use --listen: an address has to follow")?;
            }
            other => return Err(format!("Cannot use {other:?}: see --help")),
        }
    }
    Ok(Command::Serve(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn each_form_is_understood() {
        assert_eq!(parsed(""), Ok(Command::Serve("127.0.0.1:8080".into())));
        assert_eq!(
            parsed("--listen [::1]:0"),
            Ok(Command::Serve("[::1]:0".into()))
        );
        assert_eq!(parsed("--version"), Ok(Command::Version));
        assert_eq!(parsed("--help"), Ok(Command::Help));
    }

    #[test]
    fn wrong_use_is_refused() {
        assert!(parsed("--listen").is_err());
        assert!(parsed("serve").unwrap_err().contains("\"serve\""));
    }
}
