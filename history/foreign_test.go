package history

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestRescueOfAnotherSchema: an older or newer history gives up what can be told by its columns, though no checksum of it is known.
func TestRescueOfAnotherSchema(t *testing.T) {
	const png = "\x89PNG\r\n\x1a\nrest"
	for _, version := range []byte{2, 99} {
		path := filepath.Join(t.TempDir(), "old.db")
		db, err := bbolt.Open(path, 0o600, nil)
		if err != nil {
			t.Fatal(err)
		}
		uid := func(n int) string { return strings.Repeat("0", 31) + strconv.Itoa(n) }
		err = db.Update(func(tx *bbolt.Tx) error {
			for bucket, records := range map[string]map[uint64]string{
				"sessions": {1: `{"id":1,"uid":"` + uid(1) + `","name":"old","created":"2026-01-02T03:04:05Z","what":"nobody knows"}`, 2: `{"id":2}`},
				"rounds":   {3: `{"id":3,"uid":"` + uid(3) + `","session":1,"recipe":{"prompt":"a dog"},"prompt":"a dog","started":"2026-01-02T03:04:05Z","status":"complete"}`},
				"pictures": {
					7: `{"id":7,"uid":"` + uid(7) + `","round":3,"seed":5,"file":"/gone/dog.png","width":8,"height":8}`,
					8: `{"id":9,"uid":"` + uid(8) + `","round":3,"seed":6}`, // not its number
				},
				"thumbnails": {7: png},
				"steps":      {},
			} {
				b, err := tx.CreateBucket([]byte(bucket))
				for id, value := range records {
					if err == nil {
						err = b.Put(key(id), []byte(value))
					}
				}
				if err != nil {
					return err
				}
			}
			b, err := tx.CreateBucket(metaBucket)
			if err != nil {
				return err
			}
			return b.Put(schemaKey, []byte{version})
		})
		if err != nil || db.Close() != nil {
			t.Fatal(err)
		}
		s := open(t, filepath.Join(t.TempDir(), "history.db"))
		got, err := s.Rescue(path)
		if err != nil || got != (Rescued{Sessions: 1, Rounds: 1, Pictures: 1, Lost: 2}) {
			t.Errorf("schema %d: %+v, %v", version, got, err)
		}
		rounds, err := s.Rounds()
		if err != nil || len(rounds) != 1 || rounds[0].Prompt != "a dog" || len(rounds[0].Pictures) != 1 || rounds[0].Pictures[0].File != "/gone/dog.png" {
			t.Fatalf("%+v, %v", rounds, err)
		}
		if p, err := s.Picture(rounds[0].Pictures[0].ID); err != nil || string(p.Thumbnail) != png {
			t.Errorf("the thumbnail is %q, %v", p.Thumbnail, err)
		}
	}
}
