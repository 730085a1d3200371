package main

import (
	"encoding/json"

	cbundle "github.com/sigstore/cosign/v3/pkg/cosign/bundle"
)

// The annotation with the log's entry, as cosign's library takes it.
type entryBundle struct{ raw cbundle.RekorBundle }

func (e *entryBundle) UnmarshalJSON(content []byte) error {
	return json.Unmarshal(content, &e.raw)
}

func (e *entryBundle) rekor() *cbundle.RekorBundle { return &e.raw }
