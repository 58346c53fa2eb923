package farm

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"realword/inference"
	"realword/inference/wait"
)

// TestAClusterLosesANode: a farm on three NATS servers of somebody else goes on when one of them is gone in the middle of a job.
func TestAClusterLosesANode(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for elections")
	}
	t.Parallel()
	nodes := cluster(t, 3)
	var addresses []string
	for _, n := range nodes {
		addresses = append(addresses, n.ClientURL())
	}
	a := Credentials("studio", strings.Join(addresses, ","), "")
	b := &bench{t: t}
	b.until("the leader is elected", func() bool {
		var err error
		b.client, err = Found(t.Context(), a, 3)
		return err == nil
	})
	defer b.client.Close()
	if c, err := Found(t.Context(), a, 0); err != nil {
		t.Error(err)
	} else {
		if got := c.jobs.CachedInfo().Config.Replicas; got != 3 {
			t.Errorf("found again, it lies on %d servers", got)
		}
		c.Close()
	}
	b.queue = b.client.queueOf("m1")
	for i := range 2 {
		c, err := Dial(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		b.work(c, fmt.Sprint("w", i), &fakeEngine{step: 10 * time.Millisecond})
	}
	r := request("dog", 5, 20)
	var events []inference.Event
	gone := false
	for e := range eventsOf(t, b.start(r)) {
		if _, ready := e.(inference.PictureReady); ready && !gone {
			gone = true
			nodes[0].Shutdown() // everybody's first address, and perhaps the leader
		}
		events = append(events, e)
	}
	same(t, r, events)
}

// cluster is so many NATS servers with JetStream on loopback.
func cluster(t *testing.T, size int) (nodes []*server.Server) {
	t.Helper()
	dir := t.TempDir()
	var routes []*url.URL
	for range size { // each must know the others before it begins
		routes = append(routes, &url.URL{Scheme: "nats", Host: freeAddress(t)})
	}
	for i, route := range routes {
		port, err := strconv.Atoi(route.Port())
		if err != nil {
			t.Fatal(err)
		}
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: maxMessage,
			JetStream: true, StoreDir: filepath.Join(dir, fmt.Sprint(i)), JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 256 << 20,
			Cluster: server.ClusterOpts{Name: "studio", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(s.Shutdown)
		nodes = append(nodes, s)
	}
	for _, s := range nodes {
		if !s.ReadyForConnections(wait.Longest) {
			t.Fatal("a node does not begin to listen")
		}
	}
	return nodes
}
