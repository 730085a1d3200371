// Records signatures by notation, and what notation's own library says of each under a policy.

package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/digitorus/timestamp"
	_ "github.com/notaryproject/notation-core-go/signature/cose"
	_ "github.com/notaryproject/notation-core-go/signature/jws"
	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/signer"
	"github.com/notaryproject/notation-go/verifier"
	"github.com/notaryproject/notation-go/verifier/trustpolicy"
	"github.com/notaryproject/notation-go/verifier/truststore"
	"github.com/notaryproject/tspclient-go"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	jws  = "application/jose+json"
	cose = "application/cose"
)

type notationRecord struct {
	Name      string          `json:"name"`
	Place     string          `json:"place"`
	Digest    string          `json:"digest"`
	MediaType string          `json:"mediaType"`
	Signature string          `json:"signature"`
	Policy    json.RawMessage `json:"policy"`
	Trusted   []string        `json:"trusted"`
	// verified, ignored or refused
	Outcome string `json:"outcome"`
	Text    string `json:"text,omitempty"`
}

// The certificates of somebody who signs.
type person struct {
	key   crypto.Signer
	chain []*x509.Certificate
}

func newPerson(key crypto.Signer, until time.Time, change func(*x509.Certificate)) person {
	start := time.Now().Add(-time.Hour)
	name := func(common string) pkix.Name {
		return pkix.Name{CommonName: common, Country: []string{"US"}, Province: []string{"WA"}, Organization: []string{"weir"}}
	}
	rootKey := must(rsa.GenerateKey(rand.Reader, 2048))
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: name("root"), NotBefore: start, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root = issue(root, root, rootKey.Public(), rootKey)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: name("ann"), NotBefore: start, NotAfter: until,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
	}
	if change != nil {
		change(leaf)
	}
	return person{key, []*x509.Certificate{issue(leaf, root, key.Public(), rootKey), root}}
}

type store []*x509.Certificate

func (s store) GetCertificates(context.Context, truststore.Type, string) ([]*x509.Certificate, error) {
	return s, nil
}

// A clock of our own.
type clock struct{ i *instance }

func (c clock) Timestamp(_ context.Context, request *tspclient.Request) (*tspclient.Response, error) {
	answer := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: request.MessageImprint.HashedMessage, Time: time.Now(),
		SerialNumber: big.NewInt(7), Policy: []int{1, 2, 3, 4}, AddTSACertificate: true, Nonce: request.Nonce,
	}
	switch len(request.MessageImprint.HashedMessage) {
	case 48:
		answer.HashAlgorithm = crypto.SHA384
	case 64:
		answer.HashAlgorithm = crypto.SHA512
	}
	content := must(answer.CreateResponseWithOpts(c.i.clock, c.i.clockKey, crypto.SHA256))
	response := &tspclient.Response{}
	return response, response.UnmarshalBinary(content)
}

func policy(level string, change func(map[string]any)) json.RawMessage {
	statement := map[string]any{
		"name": "all", "registryScopes": []string{"*"},
		"signatureVerification": map[string]any{"level": level},
		"trustStores":           []string{"ca:weir"}, "trustedIdentities": []string{"*"},
	}
	if change != nil {
		change(statement)
	}
	return must(json.Marshal(map[string]any{"version": "1.0", "trustPolicies": []any{statement}}))
}

func (r *notationRecord) judge() (string, error) {
	document := &trustpolicy.Document{}
	if err := json.Unmarshal(r.Policy, document); err != nil {
		return "refused", err
	}
	// source-controller drops what a statement that skips has no use for.
	for n, statement := range document.TrustPolicies {
		if statement.SignatureVerification.VerificationLevel == trustpolicy.LevelSkip.Name {
			document.TrustPolicies[n].TrustStores, document.TrustPolicies[n].TrustedIdentities = nil, nil
		}
	}
	var trusted store
	for _, one := range r.Trusted {
		trusted = append(trusted, must(x509.ParseCertificate(must(base64.StdEncoding.DecodeString(one)))))
	}
	made, err := verifier.New(document, trusted, nil)
	if err != nil {
		return "refused", err
	}
	artifact := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(r.Digest), Size: 3}
	options := notation.VerifierVerifyOptions{ArtifactReference: r.Place + "@" + r.Digest, SignatureMediaType: r.MediaType}
	outcome, err := made.Verify(context.Background(), artifact, must(base64.StdEncoding.DecodeString(r.Signature)), options)
	if err != nil {
		return "refused", err
	}
	// As source-controller looks at it.
	if outcome.VerificationLevel == trustpolicy.LevelSkip {
		return "ignored", nil
	}
	for _, result := range outcome.VerificationResults {
		if result.Error != nil && result.Type == trustpolicy.TypeAuthenticity {
			return "ignored", result.Error
		}
	}
	return "verified", nil
}

func notationCases() []*notationRecord {
	i := newInstance()
	far := time.Now().AddDate(80, 0, 0)
	app := digestOf(newArtifact().Manifest)
	signed := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.Digest(app), Size: 3}
	var records []*notationRecord
	sign := func(who person, media string, options notation.SignerSignOptions) []byte {
		options.SignatureMediaType = media
		made := must(signer.NewGenericSigner(who.key.(crypto.PrivateKey), who.chain))
		signature, _, err := made.Sign(context.Background(), signed, options)
		if err != nil {
			panic(err)
		}
		return signature
	}
	add := func(name, media string, signature []byte, policy json.RawMessage, trusted ...*x509.Certificate) *notationRecord {
		record := &notationRecord{Name: name + ", " + strings.TrimPrefix(media, "application/"), Place: "registry.example/app",
			Digest: app, MediaType: media, Signature: b64(signature), Policy: policy}
		for _, one := range trusted {
			record.Trusted = append(record.Trusted, b64(one.Raw))
		}
		records = append(records, record)
		return record
	}
	keys := map[string]crypto.Signer{
		"RSA 2048": must(rsa.GenerateKey(rand.Reader, 2048)), "RSA 3072": must(rsa.GenerateKey(rand.Reader, 3072)),
		"P-256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), "P-384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"P-521": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
	}
	other := newPerson(keys["P-256"], far, nil)
	soon := time.Now().Add(4 * time.Second)
	none := notation.SignerSignOptions{}
	stamped := notation.SignerSignOptions{Timestamper: clock{i}, TSARootCAs: x509.NewCertPool()}
	stamped.TSARootCAs.AddCert(i.clockRoot)
	clocks := func(s map[string]any) { s["trustStores"] = []string{"ca:weir", "tsa:clocks"} }
	for _, media := range []string{jws, cose} {
		for name, key := range keys {
			who := newPerson(key, far, nil)
			add("strict with "+name, media, sign(who, media, none), policy("strict", nil), who.chain[1])
		}
		ann := newPerson(keys["P-256"], far, nil)
		root := ann.chain[1]
		good := sign(ann, media, none)
		for _, level := range []string{"strict", "permissive", "audit", "skip", "unknown"} {
			add(level+", trusted", media, good, policy(level, nil), root)
			add(level+", not trusted", media, good, policy(level, nil), other.chain[1])
		}
		add("the certificate itself is trusted", media, good, policy("strict", nil), ann.chain[0])
		add("another artifact", media, good, policy("strict", nil), root).Digest = digestOf("another")
		add("another artifact in an audit", media, good, policy("audit", nil), root).Digest = digestOf("another")
		scope := func(scopes ...string) func(map[string]any) {
			return func(s map[string]any) { s["registryScopes"] = scopes }
		}
		add("its scope", media, good, policy("strict", scope("registry.example/app")), root)
		add("another scope", media, good, policy("strict", scope("registry.example/other")), root)
		add("no scope", media, good, policy("strict", scope()), root)
		add("all and one", media, good, policy("strict", scope("*", "registry.example/app")), root)
		who := func(names ...string) func(map[string]any) {
			return func(s map[string]any) { s["trustedIdentities"] = names }
		}
		add("its name", media, good, policy("strict", who("x509.subject: C=US, ST=WA, O=weir")), root)
		add("its whole name", media, good, policy("strict", who("x509.subject:CN=ann,O=weir,S=WA,C=US")), root)
		add("another name", media, good, policy("strict", who("x509.subject: C=US, ST=WA, O=weir, CN=bob")), root)
		add("another name in an audit", media, good, policy("audit", who("x509.subject: C=US, ST=WA, O=other")), root)
		add("a name without state", media, good, policy("strict", who("x509.subject: C=US, O=weir")), root)
		add("nobody", media, good, policy("strict", who()), root)
		override := func(check, action string) func(map[string]any) {
			return func(s map[string]any) {
				s["signatureVerification"].(map[string]any)["override"] = map[string]string{check: action}
			}
		}
		add("trust is only logged", media, good, policy("strict", override("authenticity", "log")), other.chain[1])
		add("trust is skipped", media, good, policy("strict", override("authenticity", "skip")), root)
		add("wholeness is only logged", media, good, policy("strict", override("integrity", "log")), root)
		changed := bytes.Clone(good)
		at := bytes.LastIndex(changed, []byte("sign"))
		changed[at/2] ^= 1
		add("changed", media, changed, policy("audit", nil), root)
		add("no signature", media, []byte("{}"), policy("audit", nil), root)
		add("expired", media, sign(ann, media, notation.SignerSignOptions{ExpiryDuration: time.Second}), policy("strict", nil), root)
		add("expired, permissive", media, sign(ann, media, notation.SignerSignOptions{ExpiryDuration: time.Second}), policy("permissive", nil), root)
		add("not expired", media, sign(ann, media, notation.SignerSignOptions{ExpiryDuration: 80 * 365 * 24 * time.Hour}), policy("strict", nil), root)
		old := newPerson(keys["P-256"], soon, nil)
		add("an old certificate", media, sign(old, media, none), policy("strict", nil), old.chain[1])
		add("an old certificate, permissive", media, sign(old, media, none), policy("permissive", nil), old.chain[1])
		add("an old certificate with a time stamp", media, sign(old, media, stamped), policy("strict", clocks), old.chain[1], i.clockRoot)
		add("a time stamp", media, sign(ann, media, stamped), policy("strict", clocks), root, i.clockRoot)
		add("a time stamp of a clock that nobody trusts", media, sign(ann, media, stamped), policy("strict", clocks), root)
		add("no time stamp", media, good, policy("strict", clocks), root, i.clockRoot)
		add("no time stamp while the certificate is good", media, good, policy("strict", func(s map[string]any) {
			clocks(s)
			s["signatureVerification"].(map[string]any)["verifyTimestamp"] = "afterCertExpiry"
		}), root, i.clockRoot)
		add("a type that is not known", media, good, policy("strict", nil), root).MediaType = "application/json"
	}
	time.Sleep(time.Until(soon) + 2*time.Second)
	for _, one := range records {
		outcome, err := one.judge()
		one.Outcome = outcome
		if err != nil {
			one.Text = err.Error()
		}
		fmt.Printf("%-60s %v %s\n", one.Name, one.Outcome, one.Text)
	}
	return records
}
