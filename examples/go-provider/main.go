// Command go-provider is a key-value provider that keeps its values in memory.
//
// It shows that a provider need not be written in Rust: an archive holds any program, one for each
// target. Here they answer over HTTP; a provider on a lattice would answer the host's messages in
// the same place.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

// version is set by the linker.
var version = "development"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("go-provider", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8081", "address to serve on; port 0 takes a free one")
	showVersion := flags.Bool("version", false, "print the version and the target, then exit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("cannot use %q: no argument is expected", flags.Arg(0))
	}
	if *showVersion {
		_, err := fmt.Fprintf(out, "go-provider %s %s/%s\n", version, runtime.GOOS, runtime.GOARCH)
		return err
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", *listen, err)
	}
	if _, err := fmt.Fprintf(out, "listening on http://%s\n", listener.Addr()); err != nil {
		return err
	}
	return serve(ctx, listener)
}

// serve answers until ctx ends, then lets the requests under way finish.
func serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: newStore(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(last)
}
