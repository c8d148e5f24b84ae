package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ask sends one request and returns the answer's status and body.
func ask(t *testing.T, handler http.Handler, method, path, body string) (int, string) {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(method, path, strings.NewReader(body)))
	return answer.Code, answer.Body.String()
}

func TestAValueIsThereUntilItIsDeleted(t *testing.T) {
	s := newStore()
	steps := []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/keys/a", "", 404, "no such key\n"},
		{"PUT", "/keys/a", "one", 204, ""},
		{"PUT", "/keys/a", "two", 204, ""},
		{"PUT", "/keys/a/b", "", 204, ""},
		{"GET", "/keys/a", "", 200, "two"},
		{"GET", "/keys/a/b", "", 200, ""},
		{"DELETE", "/keys/a", "", 204, ""},
		{"GET", "/keys/a", "", 404, "no such key\n"},
		{"DELETE", "/keys/a", "", 204, ""},
		{"POST", "/keys/a", "", 405, "a key is read, put or deleted\n"},
		{"GET", "/keys/", "", 404, "404 page not found\n"},
		{"GET", "/", "", 404, "404 page not found\n"},
		{"GET", "/healthz", "", 200, "ok\n"},
	}
	for _, step := range steps {
		status, body := ask(t, s, step.method, step.path, step.body)
		if status != step.status || body != step.want {
			t.Errorf("%s %s: got %d %q, want %d %q", step.method, step.path, status, body, step.status, step.want)
		}
	}
}

func TestAValueHasALimit(t *testing.T) {
	s := newStore()
	if status, _ := ask(t, s, "PUT", "/keys/fits", strings.Repeat("x", maxLength)); status != 204 {
		t.Errorf("a value of the limit: got %d", status)
	}
	if status, _ := ask(t, s, "PUT", "/keys/long", strings.Repeat("x", maxLength+1)); status != 413 {
		t.Errorf("a value above the limit: got %d", status)
	}
}

func TestTheStoreHasALimit(t *testing.T) {
	s := newStore()
	for len(s.values) < maxKeys {
		s.values[strings.Repeat("k", len(s.values)+1)] = nil
	}
	if status, _ := ask(t, s, "PUT", "/keys/new", ""); status != 507 {
		t.Errorf("one key too many: got %d", status)
	}
	if status, _ := ask(t, s, "PUT", "/keys/k", "changed"); status != 204 {
		t.Errorf("a key that is there: got %d", status)
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener) }()
	answer, err := http.Get("http://" + listener.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != "ok\n" {
		t.Errorf("got %q", body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("serve returned %v", err)
	}
}

func TestVersionNamesTheTarget(t *testing.T) {
	out := new(bytes.Buffer)
	if err := run([]string{"--version"}, out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "go-provider "+version+" ") {
		t.Errorf("got %q", out)
	}
}

func TestWrongUseIsRefused(t *testing.T) {
	for _, args := range [][]string{{"extra"}, {"--listen", "nowhere:port"}} {
		if err := run(args, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
