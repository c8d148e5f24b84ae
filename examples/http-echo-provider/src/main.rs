//! An HTTP echo server, as a provider that is a program of its own.
//!
//! `GET /healthz` answers `ok`; any other request gets its own body back, streamed, and its method
//! and target in headers. A provider on a lattice would read its host's data from standard input
//! before it serves; this one takes its address from the command line.

mod args;
mod echo;

use args::Command;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::io;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long requests under way may take once the server is told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
/// How long to wait after a connection could not be accepted, as when no file handle is left.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), String> {
    match args::parse(std::env::args().skip(1))? {
        Command::Help => println!("{}", args::USAGE),
        Command::Version => println!("http-echo-provider {}", env!("CARGO_PKG_VERSION")),
        Command::Serve(address) => {
            let cannot = |error: io::Error| format!("Cannot listen on {address}: {error}");
            let listener = TcpListener::bind(&address).await.map_err(cannot)?;
            println!(
                "listening on http://{}",
                listener.local_addr().map_err(cannot)?
            );
            let stop =
                stop_signal().map_err(|error| format!("Cannot watch for signals: {error}"))?;
            serve(listener, stop).await;
        }
    }
    Ok(())
}

/// Serves until `stop` ends, then lets the requests under way finish.
async fn serve(listener: TcpListener, stop: impl Future<Output = ()>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new());
    let connections = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection =
                    http.serve_connection(TokioIo::new(stream), service_fn(echo::answer));
                // A client that goes away in the middle is no failure of the server.
                let watched = connections.watch(connection);
                tokio::spawn(async move { drop(watched.await) });
            }
            Err(error) => {
                eprintln!("Cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
    drop(listener);
    drop(tokio::time::timeout(LAST_REQUESTS, connections.shutdown()).await);
}

/// Ends when the process is asked to stop.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{signal, SignalKind};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ends when the process is asked to stop.
#[cfg(windows)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    /// Sends `request` to a server of its own and returns all that it answers.
    async fn ask(request: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = tokio::task::spawn_blocking(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let mut answer = String::new();
        serve(listener, async { answer = client.await.unwrap() }).await;
        answer
    }

    #[tokio::test]
    async fn a_body_comes_back() {
        let answer = ask(
            "PUT /a?b=c HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: text/x\r\n\
             content-length: 5\r\n\r\nhello",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-echo-method: PUT\r\n"), "{answer}");
        assert!(answer.contains("\r\nx-echo-target: /a?b=c\r\n"), "{answer}");
        assert!(answer.contains("\r\ncontent-type: text/x\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    }

    #[tokio::test]
    async fn health_is_told() {
        let answer = ask("GET /healthz HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    }

    #[tokio::test]
    async fn nonsense_is_refused() {
        let answer = ask("nonsense\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}
