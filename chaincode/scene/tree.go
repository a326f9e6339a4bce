package scene

import "crypto/sha256"

// tree is RFC 9162's, written out plainly as a reference: every layer kept, a
// node without a sibling moved up as it is.
type tree struct{ layers [][][]byte }

func hash(parts ...[]byte) []byte {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write(part)
	}
	return sum.Sum(nil)
}

func (t *tree) add(leaf []byte) {
	if t.layers == nil {
		t.layers = [][][]byte{nil}
	}
	t.layers[0] = append(t.layers[0], hash([]byte{0}, leaf))
}

func (t *tree) build() {
	for layer := t.layers[0]; len(layer) > 1; layer = t.layers[len(t.layers)-1] {
		var above [][]byte
		for i := 0; i < len(layer); i += 2 {
			if i+1 == len(layer) {
				above = append(above, layer[i])
			} else {
				above = append(above, hash([]byte{1}, layer[i], layer[i+1]))
			}
		}
		t.layers = append(t.layers, above)
	}
}

func (t *tree) root() []byte { return t.layers[len(t.layers)-1][0] }

func (t *tree) cap(height uint) [][]byte {
	return t.layers[min(int(height), len(t.layers)-1)]
}

// path is the audit path of a leaf to its node of the cap.
func (t *tree) path(index int, height uint) [][]byte {
	path := [][]byte{}
	for _, layer := range t.layers[:min(int(height), len(t.layers)-1)] {
		if sibling := index ^ 1; sibling < len(layer) {
			path = append(path, layer[sibling])
		}
		index >>= 1
	}
	return path
}
