package journal

import (
	"slices"

	"realword/history"
)

// Node is a round with its place in the tree of a session.
type Node struct {
	history.Round
	Parent        int // index of the node that it goes on from; -1: none in this session
	Level, Column int // 0 is the top and the left
}

// Tree lays out the rounds of a session, the oldest first: each below the round that its reference was made in, older ones
// to the left. Rounds without a picture and those in the trash are not in it. Which pictures there is something to see of, says Seen.
func Tree(rounds []history.Round) []Node {
	var nodes []Node
	made := map[uint64]int{} // picture -> node
	for _, r := range rounds {
		r.Pictures = slices.DeleteFunc(slices.Clone(r.Pictures), func(p history.Picture) bool { return !p.Trashed.IsZero() })
		if !r.Trashed.IsZero() || len(r.Pictures) == 0 {
			continue
		}
		n := Node{Round: r, Parent: -1}
		if len(r.Parents) > 0 {
			if parent, ok := made[r.Parents[0]]; ok {
				n.Parent, n.Level = parent, nodes[parent].Level+1
			}
		}
		for _, p := range r.Pictures {
			made[p.ID] = len(nodes)
		}
		nodes = append(nodes, n)
	}
	// A round stands over its first child; every other child, and every tree, begins a column.
	columns := 0
	var place func(i int)
	place = func(i int) {
		nodes[i].Column = columns
		first := true
		for j := i + 1; j < len(nodes); j++ {
			if nodes[j].Parent == i {
				if !first {
					columns++
				}
				place(j)
				first = false
			}
		}
	}
	for i, n := range nodes {
		if n.Parent < 0 {
			if i > 0 {
				columns++
			}
			place(i)
		}
	}
	return nodes
}
