package kit

import (
	"reflect"
	"sync"
	"testing"
)

func TestNewestSkipsWhatWasOvertaken(t *testing.T) {
	first, goOn := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var got []int
	all := make(chan struct{})
	n := &Newest[int]{Do: func(v int) {
		if v == 1 {
			close(first)
			<-goOn
		}
		mu.Lock()
		got = append(got, v)
		mu.Unlock()
		if v == 100 {
			close(all)
		}
	}}
	n.Set(1)
	<-first
	for v := 2; v <= 100; v++ {
		n.Set(v)
	}
	close(goOn)
	<-all
	mu.Lock()
	defer mu.Unlock()
	if !reflect.DeepEqual(got, []int{1, 100}) {
		t.Errorf("got %v, want the first and the last", got)
	}
}
