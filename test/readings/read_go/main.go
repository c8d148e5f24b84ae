// Reads the archives in a folder with Go's archive/tar, compress/gzip and encoding/json, and prints
// one line of JSON for each.
package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

type claims struct {
	Exp    *uint64 `json:"exp,omitempty"`
	Jti    string  `json:"jti"`
	Iat    uint64  `json:"iat"`
	Iss    string  `json:"iss"`
	Sub    string  `json:"sub"`
	Nbf    *uint64 `json:"nbf,omitempty"`
	Wascap struct {
		Name         *string           `json:"name,omitempty"`
		Capid        *string           `json:"capid,omitempty"`
		Vendor       string            `json:"vendor"`
		Rev          *int32            `json:"rev,omitempty"`
		Ver          *string           `json:"ver,omitempty"`
		TargetHashes map[string]string `json:"target_hashes"`
		ConfigSchema any               `json:"config_schema,omitempty"`
	} `json:"wascap"`
	WascapRevision *uint32 `json:"wascap_revision,omitempty"`
}

type reading struct {
	File   string   `json:"file"`
	Error  string   `json:"error,omitempty"`
	Files  [][3]any `json:"files,omitempty"`
	Claims *claims  `json:"claims,omitempty"`
}

func read(path string) (result reading, err error) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	buffered := bufio.NewReader(file)
	var stream io.Reader = buffered
	if magic, _ := buffered.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		if stream, err = gzip.NewReader(buffered); err != nil {
			return
		}
	}
	archive := tar.NewReader(stream)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			// The gzip trailer is checked at its end alone.
			_, err = io.Copy(io.Discard, stream)
			return result, err
		}
		if err != nil {
			return result, err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return result, err
		}
		name := header.Name
		if header.Typeflag != tar.TypeReg {
			name = fmt.Sprintf("%s (type %q)", name, header.Typeflag)
		}
		digest := sha256.Sum256(content)
		result.Files = append(result.Files, [3]any{name, len(content), hex.EncodeToString(digest[:])})
		if name == "claims.jwt" {
			if result.Claims, err = decode(string(content)); err != nil {
				return result, err
			}
		}
	}
}

func decode(token string) (*claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("a token of %d parts", len(parts))
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, err
	}
	result := new(claims)
	return result, json.Unmarshal(payload, result)
}

func main() {
	folder := os.Args[1]
	entries, err := os.ReadDir(folder)
	if err != nil {
		panic(err)
	}
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	encoder := json.NewEncoder(output)
	for _, entry := range entries {
		result, err := read(filepath.Join(folder, entry.Name()))
		if err != nil {
			result = reading{Error: err.Error()}
		}
		result.File = entry.Name()
		if err := encoder.Encode(result); err != nil {
			panic(err)
		}
	}
}
