package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
)

// TestPartsComeBack: an error is the same after it was written and read, with the errors inside it.
func TestPartsComeBack(t *testing.T) {
	inner := Errorf("%s is not here: import it again", "Fake")
	out := Note("%d of %s at %.2f: %w, %w", 3, "x", 0.25, inner, fs.ErrNotExist)
	written, err := json.Marshal(PartsOf(out))
	if err != nil {
		t.Fatal(err)
	}
	var p Parts
	if err := json.Unmarshal(written, &p); err != nil {
		t.Fatal(err)
	}
	back, is := p.Err().(*Error) //nolint:errorlint // it is made so
	if !is || back.Text != out.Text || back.Error() != out.Error() || !reflect.DeepEqual(back.Values[:3], out.Values[:3]) {
		t.Fatalf("%#v came back as %#v", out, p.Err())
	}
	if !reflect.DeepEqual(back.Values[3], inner) || back.Values[4].(error).Error() != fs.ErrNotExist.Error() {
		t.Errorf("inside it %#v came back", back.Values[3:])
	}
	for what, err := range map[string]error{
		"no error of this package": errors.New("it broke"), "one that says more": fmt.Errorf("farm: %w", inner),
		"a value of another kind": Errorf("%v", []int{1}), "nothing": nil,
	} {
		if p := PartsOf(err); p != nil {
			t.Errorf("%s has the parts %+v", what, p)
		}
	}
	if p := PartsOf(teller{}); p == nil || p.Err().Error() != teller.Error(teller{}) {
		t.Errorf("an error that tells has the parts %+v", p)
	}
	if p := PartsOf(fmt.Errorf("%w", inner)); p == nil || p.Err().Error() != inner.Error() {
		t.Errorf("what is only wrapped has the parts %+v", p)
	}
}

type teller struct{}

func (teller) Told() *Error    { return Note("%s is damaged: get it again", "x.ckpt") }
func (t teller) Error() string { return t.Told().Error() }

// TestPartsOfStrangers fill neither the stack nor the memory.
func TestPartsOfStrangers(t *testing.T) {
	text := "x"
	value := Value{Text: &text}
	deep, many := &Parts{Text: "x"}, &Parts{Text: strings.Repeat("x", 4000)}
	for range 100 {
		deep = &Parts{Text: "%w", Values: []Value{{Error: deep}}}
	}
	for range 7 {
		many = &Parts{Text: strings.Repeat("%[1]s", 800), Values: []Value{{Error: many}}}
	}
	for name, p := range map[string]*Parts{
		"deep": deep, "wide": {Text: "%999999d", Values: []Value{value}}, "doubled": many,
		"long": {Text: strings.Repeat("x", mostText+1)}, "of many values": {Text: "x", Values: make([]Value, mostValues+1)},
	} {
		if said := p.Err().Error(); len(said) > mostSaid || !strings.Contains(said, "too long") {
			t.Errorf("%s: %d bytes, %.80q", name, len(said), said)
		}
	}
}
