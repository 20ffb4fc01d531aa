package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// A copyState is the file that lets a copy go on: a line that says whose it is,
// and a line for each session that the target has. It has no ids, but their
// hashes under a key of the file's own. A line is written at once, so that only a
// crash of the machine loses any; such sessions are met in the target then.
type copyState struct {
	resumed bool // it has a session of an earlier run

	mu   sync.Mutex // guards what follows
	file *os.File
	key  []byte
	seen map[copyMark]bool
	used bool // it has something to remember
}

type copyMark [12]byte

const copyMagic = "aspstate copy 1"

// openCopyState opens or makes a file for the copy between two places. One of
// another copy is an error.
func openCopyState(name, places string) (*copyState, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("--state: %w", err)
	}
	s := &copyState{file: f, seen: map[copyMark]bool{}}
	if err := s.load(places); err != nil {
		f.Close()
		return nil, fmt.Errorf("--state %s: %w", label(name, 200), err)
	}
	return s, nil
}

func (s *copyState) load(places string) error {
	b, err := io.ReadAll(s.file)
	if err != nil {
		return withoutPath(err)
	}
	head, rest, whole := bytes.Cut(b, []byte("\n"))
	if len(b) == 0 || !whole && strings.HasPrefix(copyMagic, string(head[:min(len(head), len(copyMagic))])) {
		return s.begin(places) // new, or cut off before it held anything
	}
	words := strings.Fields(strings.TrimPrefix(string(head), copyMagic))
	if !strings.HasPrefix(string(head), copyMagic) || len(words) != 2 {
		return errors.New("it is no state of a copy; give another name")
	}
	if s.key, err = hex.DecodeString(words[0]); err != nil || len(s.key) != 16 {
		return errors.New("its first line is damaged; remove it to begin anew")
	}
	if words[1] != hex.EncodeToString(s.sum(places)) {
		return errors.New("it is of a copy between other stores, or of one that differs in --overwrite; remove it, or give another name")
	}
	end := len(head) + 1
	for line := range bytes.Lines(rest) {
		var m copyMark
		if n, err := hex.Decode(m[:], bytes.TrimSuffix(line, []byte("\n"))); len(line) != 2*len(m)+1 || err != nil || n != len(m) {
			break // cut off in the middle: what follows is met in the target
		}
		s.seen[m] = true
		end += len(line)
	}
	s.resumed, s.used = true, len(s.seen) > 0
	if err := s.file.Truncate(int64(end)); err != nil {
		return withoutPath(err)
	}
	_, err = s.file.Seek(int64(end), io.SeekStart)
	return err
}

func (s *copyState) begin(places string) error {
	s.key = make([]byte, 16)
	_, _ = rand.Read(s.key) // never fails
	if err := s.file.Truncate(0); err != nil {
		return withoutPath(err)
	}
	_, err := s.file.WriteAt(fmt.Appendf(nil, "%s %x %x\n", copyMagic, s.key, s.sum(places)), 0)
	if err == nil {
		_, err = s.file.Seek(0, io.SeekEnd)
	}
	return withoutPath(err)
}

func (s *copyState) sum(text string) []byte {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)[:len(copyMark{})]
}

// has reports that the target got a session. Not to be called beside add.
func (s *copyState) has(id string) bool { return s.seen[copyMark(s.sum(id))] }

// add notes a session.
func (s *copyState) add(id string) error {
	line := hex.AppendEncode(nil, s.sum(id))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used = true
	if _, err := s.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	return nil
}

// close closes the file, and removes it where nothing is left to do, or was done.
func (s *copyState) close(finished bool) error {
	err := s.file.Close()
	if finished || !s.used {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	return nil
}
