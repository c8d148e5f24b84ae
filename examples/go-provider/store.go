package main

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

const (
	keysPath  = "/keys/"
	maxLength = 1 << 20 // bytes of one value
	maxKeys   = 10_000
)

// store keeps values by key and answers for them over HTTP.
type store struct {
	mutex  sync.RWMutex
	values map[string][]byte
}

func newStore() *store {
	return &store{values: make(map[string][]byte)}
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/healthz" {
		io.WriteString(w, "ok\n")
		return
	}
	key := strings.TrimPrefix(r.URL.Path, keysPath)
	if key == "" || key == r.URL.Path {
		http.NotFound(w, r)
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.get(w, key)
	case http.MethodPut:
		s.put(w, r, key)
	case http.MethodDelete:
		s.remove(w, key)
	default:
		w.Header().Set("Allow", "GET, PUT, DELETE")
		http.Error(w, "a key is read, put or deleted", http.StatusMethodNotAllowed)
	}
}

func (s *store) get(w http.ResponseWriter, key string) {
	s.mutex.RLock()
	value, found := s.values[key]
	s.mutex.RUnlock()
	if !found {
		http.Error(w, "no such key", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(value)
}

func (s *store) put(w http.ResponseWriter, r *http.Request, key string) {
	value, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLength))
	if tooLong := new(http.MaxBytesError); errors.As(err, &tooLong) {
		http.Error(w, "the value is longer than 1 MiB", http.StatusRequestEntityTooLarge)
		return
	} else if err != nil {
		http.Error(w, "the value did not arrive whole", http.StatusBadRequest)
		return
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if _, found := s.values[key]; !found && len(s.values) == maxKeys {
		http.Error(w, "the store is full", http.StatusInsufficientStorage)
		return
	}
	s.values[key] = value
	w.WriteHeader(http.StatusNoContent)
}

func (s *store) remove(w http.ResponseWriter, key string) {
	s.mutex.Lock()
	delete(s.values, key)
	s.mutex.Unlock()
	w.WriteHeader(http.StatusNoContent)
}
