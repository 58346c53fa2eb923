package inference

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"

	"realword/inference/files"
	"realword/inference/memory"
	"realword/inference/session"
)

// This file turns the three values of which a run consists into bytes and back, for another process, another machine or another
// day: a Request with its references, masks and its From, the State after a step, and the Events. See the package comment.

// The first byte of everything encoded is its version. States are kept in histories.
const (
	requestVersion = 6 // of requests and events
	stateVersion   = 1
)

// WireVersion is what two programs must have in common to exchange requests, events and states: 1000 times the version of requests and
// events, plus that of states.
const WireVersion = 1000*requestVersion + stateVersion

func init() {
	for _, e := range []Event{StageStarted{}, DeviceChanged{}, Progress{}, StepDone{}, PictureReady{}, Likeness{}, Done{}, Failed{}} {
		gob.Register(e)
	}
}

// EncodeRequest returns a request as bytes that DecodeRequest reads back, the bytes of pictures and masks and the state of From with it.
func EncodeRequest(r Request) ([]byte, error) { return encode(requestVersion, r) }

// DecodeRequest reads what EncodeRequest wrote. Pictures whose bytes came along are hashed here: nobody need be believed. Whether the
// request can run is for Engine.Resolve to say.
func DecodeRequest(data []byte) (r Request, err error) {
	err = decode(requestVersion, data, &r, "the request", "send it again")
	for _, f := range r.Files() {
		if len(*f.Data) > 0 && *f.SHA256 != "" {
			*f.SHA256 = files.Sum(*f.Data)
		}
	}
	return r, err
}

// EncodeState returns a state as bytes that DecodeState reads back, bit for bit.
func EncodeState(s State) ([]byte, error) { return encode(stateVersion, s) }

// DecodeState reads what EncodeState wrote. Whether the state fits a request is for Engine.Resolve to say.
func DecodeState(data []byte) (s State, err error) {
	return s, decode(stateVersion, data, &s, "the kept state", "start from noise instead")
}

// EncodeEvent returns an event as bytes that DecodeEvent reads back. Of the error of Failed that is its text, whether it is
// context.Canceled, context.DeadlineExceeded or session.ErrMemory, and the plan of a *memory.Error.
func EncodeEvent(e Event) ([]byte, error) { return encode(requestVersion, &e) }

// DecodeEvent reads what EncodeEvent wrote.
func DecodeEvent(data []byte) (e Event, err error) {
	return e, decode(requestVersion, data, &e, "the event", "make the picture again")
}

func encode(version byte, v any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(version)
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func decode(version byte, data []byte, v any, what, remedy string) error {
	if len(data) == 0 || data[0] != version {
		return fmt.Errorf("%s was written by another version: %s", what, remedy)
	}
	if err := gob.NewDecoder(bytes.NewReader(data[1:])).Decode(v); err != nil {
		return fmt.Errorf("%s is damaged: %s: %w", what, remedy, err)
	}
	return nil
}

// failure is the error of Failed as it comes out of bytes.
type failure struct {
	Text string
	Is   [len(sentinels)]bool // which of sentinels it is
	Plan *memory.Plan
}

// sentinels are the errors that a receiver asks for.
var sentinels = [...]error{context.Canceled, context.DeadlineExceeded, session.ErrMemory}

func (f failure) Error() string { return f.Text }

// Unwrap implements errors.Is for the sentinels, and errors.As for the memory's error.
func (f failure) Unwrap() (list []error) {
	for i, is := range f.Is {
		if is {
			list = append(list, sentinels[i])
		}
	}
	if f.Plan != nil {
		list = append(list, &memory.Error{Plan: *f.Plan})
	}
	return list
}

// GobEncode implements gob.GobEncoder.
func (f Failed) GobEncode() ([]byte, error) {
	out := failure{Text: f.Err.Error()}
	for i, s := range sentinels {
		out.Is[i] = errors.Is(f.Err, s)
	}
	if short := (*memory.Error)(nil); errors.As(f.Err, &short) {
		out.Plan = &short.Plan
	}
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(out)
	return b.Bytes(), err
}

// GobDecode implements gob.GobDecoder.
func (f *Failed) GobDecode(data []byte) error {
	var in failure
	err := gob.NewDecoder(bytes.NewReader(data)).Decode(&in)
	f.Err = in
	return err
}
