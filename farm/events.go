package farm

import (
	"bytes"
	"encoding/binary"
	"encoding/json"

	"realword/inference"
	"realword/inference/message"
)

// encodeEvents is events in one piece: each with its length before it.
func encodeEvents(list [][]byte) []byte {
	var b bytes.Buffer
	for _, e := range list {
		b.Write(binary.AppendUvarint(nil, uint64(len(e))))
		b.Write(e)
	}
	return b.Bytes()
}

// encodeKept is where a picture goes on: the blobs with its events so far, and the State as bytes.
func encodeKept(blobs []string, state []byte) []byte {
	data, err := json.Marshal(blobs)
	if err != nil {
		panic(err) // strings
	}
	return append(append(binary.AppendUvarint(nil, uint64(len(data))), data...), state...)
}

// decodeKept reads what encodeKept wrote.
func decodeKept(data []byte) (blobs []string, s inference.State, err error) {
	size, n := binary.Uvarint(data)
	if n <= 0 || size > uint64(len(data)-n) {
		return nil, s, message.New("what was kept is damaged")
	}
	if err = unmarshal(data[n:n+int(size)], &blobs); err == nil {
		s, err = inference.DecodeState(data[n+int(size):])
	}
	return blobs, s, err
}

// decodeEvents reads what encodeEvents wrote: at least one event.
func decodeEvents(data []byte) (list []inference.Event, err error) {
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return nil, message.New("the events are damaged")
		}
		e, err := inference.DecodeEvent(data[n : n+int(size)])
		if err != nil {
			return nil, err
		}
		list, data = append(list, e), data[n+int(size):]
	}
	if len(list) == 0 {
		return nil, message.New("there are no events")
	}
	return list, nil
}

// unmarshal reads a small value of this package.
func unmarshal(data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return message.New("what the farm keeps is damaged")
	}
	return nil
}
