package ballot

import (
	"errors"
	"fmt"

	"concordat/chaincode/canonical"
)

const (
	headType = "concordat-head+jws"
	maxHead  = 2048
)

// Head is what a signed tree head of the transparency log says
// (docs/transparency.md), as far as chaincode looks at it.
type Head struct {
	Meeting     string
	MeetingHash string
	Channel     string
	Size        int64
	Root        string // base64url
}

// ParseHead reads a compact JWS. It looks at the form and not at the
// signature: the Regulator's CA is in no record of the channel.
func ParseHead(compact string) (*Head, error) {
	if len(compact) > maxHead {
		return nil, fmt.Errorf("a head of %d bytes", len(compact))
	}
	parsed, err := parseJWS(compact, headType)
	if err != nil {
		return nil, err
	}
	object, err := canonical.ParseObject(parsed.payload)
	if err != nil {
		return nil, err
	}
	if !canonical.IsCanonical(parsed.payload) {
		return nil, errors.New("the head is not in the canonical form of RFC 8785")
	}
	if err := object.Only([]string{"v", "mtg", "mh", "channel", "size", "root", "block", "block_hash", "time"}); err != nil {
		return nil, err
	}
	if err := object.Version(1); err != nil {
		return nil, err
	}
	head := &Head{}
	if head.Size, err = object.Integer("size"); err != nil {
		return nil, err
	}
	for _, member := range []struct {
		name   string
		target *string
	}{
		{"mtg", &head.Meeting},
		{"mh", &head.MeetingHash},
		{"channel", &head.Channel},
		{"root", &head.Root},
	} {
		if *member.target, err = object.Text(member.name); err != nil {
			return nil, err
		}
	}
	return head, nil
}
