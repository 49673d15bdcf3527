// A stranger's check of a published log, made of Go's own golang.org/x/mod/sumdb/note and sumdb/tlog.
//
//	stranger FOLDER VKEY <questions.json
//
// It opens the folder's checkpoint with the key, computes the root from the tiles, reads every entry, and checks
// proofs: those it makes itself from the tiles, and those that the questions bring along. It prints what it found as
// JSON, or one line of error with exit code 1.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// Questions are what is to be checked beside the whole log.
type Questions struct {
	Indexes   []int64       `json:"indexes"`   // prove these entries from the tiles
	Olds      []int64       `json:"olds"`      // prove that the log extends its first so many entries
	Included  []Inclusion   `json:"included"`  // check proofs that the log made
	Extending []Consistency `json:"extending"` // check proofs that the log made
}

// Inclusion is a proof that the log made for one entry.
type Inclusion struct {
	Index int64    `json:"index"`
	Entry []byte   `json:"entry"`
	Proof []string `json:"proof"`
}

// Consistency is a proof that the log made for a smaller tree.
type Consistency struct {
	Size  int64    `json:"size"`
	Root  string   `json:"root"`
	Proof []string `json:"proof"`
}

// Found is what the stranger convinced itself of.
type Found struct {
	Origin  string            `json:"origin"`
	Size    int64             `json:"size"`
	Root    string            `json:"root"`
	Entries int64             `json:"entries"`
	Checked int               `json:"checked"`
	Roots   map[string]string `json:"roots"`
}

type folder struct{ root string }

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles maps Go's tile/8/<L>/<N> to the tile/<L>/<N> of C2SP tlog-tiles. A partial tile may have made way for the
// full one.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	read := make([][]byte, len(tiles))
	for i, tile := range tiles {
		data, err := os.ReadFile(f.path(tile))
		if err != nil {
			full := tile
			full.W = 1 << height
			if data, err = os.ReadFile(f.path(full)); err != nil {
				return nil, err
			}
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is too short", tile.Path())
		}
		read[i] = data[:tile.W*tlog.HashSize]
	}
	return read, nil
}

func (f folder) path(tile tlog.Tile) string {
	return filepath.Join(f.root, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
}

func (f folder) bundle(number int64, width int) ([][]byte, error) {
	tile := tlog.Tile{H: height, L: -1, N: number, W: width}
	place := func(t tlog.Tile) string {
		return filepath.Join(f.root, strings.Replace(t.Path(), "tile/8/data/", "tile/entries/", 1))
	}
	data, err := os.ReadFile(place(tile))
	if err != nil {
		tile.W = 1 << height
		if data, err = os.ReadFile(place(tile)); err != nil {
			return nil, err
		}
	}
	var entries [][]byte
	for len(entries) < width {
		if len(data) < 2 {
			return nil, errors.New("an entry bundle is too short")
		}
		length := int(data[0])<<8 | int(data[1])
		if len(data) < 2+length {
			return nil, errors.New("an entry is cut short")
		}
		entries = append(entries, data[2:2+length])
		data = data[2+length:]
	}
	return entries, nil
}

func checkpoint(root, vkey string) (string, tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return "", tlog.Tree{}, err
	}
	data, err := os.ReadFile(filepath.Join(root, "checkpoint"))
	if err != nil {
		return "", tlog.Tree{}, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return "", tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return "", tlog.Tree{}, errors.New("the note is not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return "", tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return lines[0], tlog.Tree{N: size, Hash: hash}, err
}

func hashes(texts []string) ([]tlog.Hash, error) {
	var parsed []tlog.Hash
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, hash)
	}
	return parsed, nil
}

func run() error {
	var asked Questions
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	place := folder{os.Args[1]}
	origin, tree, err := checkpoint(place.root, os.Args[2])
	if err != nil {
		return err
	}
	// This reader checks every tile against the signed root before it gives a hash out.
	reader := tlog.TileHashReader(tree, place)
	found := Found{Origin: origin, Size: tree.N, Root: tree.Hash.String(), Roots: map[string]string{}}
	leaves := make([]tlog.Hash, 0, tree.N)
	for number := int64(0); number*256 < tree.N; number++ {
		width := 256
		if left := tree.N - number*256; left < 256 {
			width = int(left)
		}
		entries, err := place.bundle(number, width)
		if err != nil {
			return err
		}
		indexes := make([]int64, width)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, number*256+int64(i))
		}
		stored, err := reader.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != stored[i] {
				return fmt.Errorf("entry %d is not the one that was signed", number*256+int64(i))
			}
			leaves = append(leaves, stored[i])
			found.Entries++
		}
	}
	for _, index := range asked.Indexes {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaves[index])
		}
		if err != nil {
			return err
		}
		found.Checked++
	}
	for _, old := range asked.Olds {
		root, err := tlog.TreeHash(old, reader)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(tree.N, old, reader)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, old, root)
		}
		if err != nil {
			return err
		}
		found.Roots[strconv.FormatInt(old, 10)] = root.String()
		found.Checked++
	}
	for _, one := range asked.Included {
		proof, err := hashes(one.Proof)
		if err == nil {
			err = tlog.CheckRecord(proof, tree.N, tree.Hash, one.Index, tlog.RecordHash(one.Entry))
		}
		if err != nil {
			return err
		}
		found.Checked++
	}
	for _, one := range asked.Extending {
		proof, err := hashes(one.Proof)
		if err != nil {
			return err
		}
		root, err := tlog.ParseHash(one.Root)
		if err == nil {
			err = tlog.CheckTree(proof, tree.N, tree.Hash, one.Size, root)
		}
		if err != nil {
			return err
		}
		found.Checked++
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
