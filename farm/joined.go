package farm

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"realword/inference/files"
	"realword/inference/message"
)

// This file is how a computer knows its farm: by a pairing, its own farm's or another's, or by a NATS server that exists. The newest
// holds.

// ThisComputer is the name of the pairing that a farm's owner has.
const ThisComputer = "this computer"

// Joined is the farm that a computer belongs to.
type Joined struct {
	Own         bool   // its own, which it serves itself or not
	Name        string // of this computer there; "" on a server that exists
	Server      string // addresses, for people
	Credentials string // file, of a server that exists; "": none
}

type existing struct {
	Server      string `json:"server"`
	Credentials string `json:"creds,omitempty"`
}

func existingFile(dir string) string { return filepath.Join(dir, "existing.json") }

func ownFile(dir string) string { return filepath.Join(dir, "own.pairing") }

// ErrNone is that a computer belongs to no farm.
var ErrNone = message.New("this computer belongs to no farm: start one with realword farm, or join one with realword farm join PAIRING")

// Farm is the farm that the computer belongs to whose folder it is, and the way into it. Name is what the computer is called where
// the farm gives it none. The error says how to join one.
func Farm(dir, name string) (j Joined, a Access, err error) {
	data, err := files.Read(existingFile(dir), 1<<14)
	if err == nil {
		var e existing
		if json.Unmarshal(data, &e) != nil || e.Server == "" { // the own farm would be asked in its place, without a word
			return j, a, message.Errorf("%s is damaged, so the farm of this computer is not known: join it again, or delete the file", existingFile(dir))
		}
		return Joined{Server: e.Server, Credentials: e.Credentials}, Credentials(name, e.Server, e.Credentials), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return j, a, err
	}
	p, err := Own(dir)
	if err != nil {
		return j, a, err
	}
	a, err = p.Access()
	return Joined{Own: p.Name == ThisComputer, Name: p.Name, Server: strings.Join(p.Servers, ", ")}, a, err
}

// Own is the pairing of the user of this computer who serves the farm of a folder, or who joined one by a pairing.
func Own(dir string) (Pairing, error) {
	data, err := files.Read(ownFile(dir), 1<<14)
	if errors.Is(err, fs.ErrNotExist) {
		return Pairing{}, ErrNone
	}
	if err != nil {
		return Pairing{}, err
	}
	return ParsePairing(string(data))
}

// Join keeps a pairing in a folder as this computer's own.
func Join(dir string, p Pairing) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := files.Write(ownFile(dir), files.Private, []byte(p.String()+"\n")); err != nil {
		return err
	}
	return gone(os.Remove(existingFile(dir)))
}

// JoinServer keeps a server that exists, with a farm on it, as this computer's own; see Credentials.
func JoinServer(dir, servers, credentials string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	data, err := json.Marshal(existing{servers, credentials})
	if err != nil {
		return err
	}
	return files.Write(existingFile(dir), files.Private, data)
}

// Leave forgets the farm that a computer belongs to. What it serves itself, and who is paired with that, stays.
func Leave(dir string) error {
	return errors.Join(gone(os.Remove(existingFile(dir))), gone(os.Remove(ownFile(dir))))
}

// gone takes a file that is not there for one that was removed.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
