// Records signatures as cosign and notation make them, good ones and bad ones, and what their own libraries say of each.
//
//	go run . ../../cases/verify
//
// Every run makes new keys.
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	"github.com/sigstore/cosign/v3/pkg/oci/static"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"
)

const (
	subject = "ann@example.org"
	issuer  = "https://login.example"
)

type identity struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

type simple struct {
	Payload     string            `json:"payload"`
	Annotations map[string]string `json:"annotations"`
}

type record struct {
	Name       string          `json:"name"`
	Digest     string          `json:"digest"`
	Bundle     json.RawMessage `json:"bundle,omitempty"`
	Simple     *simple         `json:"simple,omitempty"`
	Key        string          `json:"key,omitempty"`
	Root       json.RawMessage `json:"root,omitempty"`
	Identities []identity      `json:"identities,omitempty"`
	Accepted   bool            `json:"accepted"`
	Text       string          `json:"text,omitempty"`
}

func b64(content []byte) string { return base64.StdEncoding.EncodeToString(content) }

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

func digestOf(text string) string {
	digest := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(digest[:])
}

func hexOf(content []byte) string {
	digest := sha256.Sum256(content)
	return hex.EncodeToString(digest[:])
}

// What differs from a good bundle.
type bundleOptions struct {
	leaf                                                     leafOptions
	second, noPromise, noProof, noStamp, brokenPromise       bool
	brokenProof, otherCheckpoint, otherEntry, otherPayload   bool
	otherSigner, otherTree                                   bool
	otherLog, flipped, otherStamp, stampForOther, old, keyed bool
	at                                                       time.Time
}

type object = map[string]any

// A statement about the artifact, signed and written down.
func (i *instance) bundle(digest string, o bundleOptions) json.RawMessage {
	if o.at.IsZero() {
		o.at = moment
	}
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"%s"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}`, digest[7:])
	kind := "application/vnd.in-toto+json"
	key := newKey(elliptic.P256())
	if o.keyed {
		key = i.log
	}
	leaf := i.leaf(subject, issuer, key.Public(), o.leaf)
	said := fmt.Sprintf("DSSEv1 %d %s %d %s", len(kind), kind, len(statement), statement)
	signed := sign(key, []byte(said))
	shown := bytes.Clone(signed)
	if o.flipped {
		shown[len(shown)-1] ^= 1
	}
	material := object{}
	version := "application/vnd.dev.sigstore.bundle.v0.3+json"
	if o.old {
		version = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	}
	if o.keyed {
		material["publicKey"] = object{"hint": "a"}
	} else {
		if o.old {
			material["x509CertificateChain"] = object{"certificates": []object{{"rawBytes": b64(leaf.Raw)}}}
		} else {
			material["certificate"] = object{"rawBytes": b64(leaf.Raw)}
		}
		material["tlogEntries"] = []object{i.entry(leaf, statement, said, shown, o)}
		if !o.noStamp {
			clock, signature := i, shown
			if o.otherStamp {
				clock = newInstance()
			}
			if o.stampForOther {
				signature = []byte("something else")
			}
			material["timestampVerificationData"] = object{
				"rfc3161Timestamps": []object{{"signedTimestamp": b64(clock.stamp(signature, o.at))}}}
		}
	}
	return must(json.Marshal(object{
		"mediaType": version, "verificationMaterial": material,
		"dsseEnvelope": object{"payload": b64([]byte(statement)), "payloadType": kind,
			"signatures": []object{{"sig": b64(shown)}}},
	}))
}

func (i *instance) entry(leaf *x509.Certificate, statement, said string, signed []byte, o bundleOptions) object {
	written, what := signed, statement
	if o.otherEntry {
		written = []byte("another signature")
	}
	if o.otherPayload {
		what, said = "other", "other"
	}
	if o.otherSigner {
		leaf = i.leaf(subject, issuer, newKey(elliptic.P256()).Public(), leafOptions{})
	}
	var body []byte
	version := object{"kind": "dsse", "version": "0.0.1"}
	if o.second {
		version = object{"kind": "hashedrekord", "version": "0.0.2"}
		digest := sha256.Sum256([]byte(said))
		body = must(json.Marshal(object{"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": object{"hashedRekordV002": object{
			"data": object{"algorithm": "SHA2_256", "digest": b64(digest[:])},
			"signature": object{"content": b64(written), "verifier": object{
				"keyDetails": "PKIX_ECDSA_P256_SHA_256", "x509Certificate": object{"rawBytes": b64(leaf.Raw)}}}}}}))
	} else {
		body = must(json.Marshal(object{"apiVersion": "0.0.1", "kind": "dsse", "spec": object{
			"envelopeHash": object{"algorithm": "sha256", "value": hexOf([]byte("envelope"))},
			"payloadHash":  object{"algorithm": "sha256", "value": hexOf([]byte(what))},
			"signatures":   []object{{"signature": b64(written), "verifier": b64(certificatePEM(leaf))}}}}))
	}
	key := i.log
	if o.otherLog {
		key = newKey(elliptic.P256())
	}
	entry := object{"logIndex": "5", "logId": object{"keyId": b64(logID(key))}, "kindVersion": version,
		"canonicalizedBody": b64(body)}
	if !o.second {
		entry["integratedTime"] = fmt.Sprint(o.at.Unix())
		if !o.noPromise {
			promise := sign(key, []byte(fmt.Sprintf(`{"body":"%s","integratedTime":%d,"logID":"%s","logIndex":5}`,
				b64(body), o.at.Unix(), hex.EncodeToString(logID(key)))))
			if o.brokenPromise {
				promise[len(promise)-1] ^= 1
			}
			entry["inclusionPromise"] = object{"signedEntryTimestamp": b64(promise)}
		}
	}
	if !o.noProof {
		entry["inclusionProof"] = proof(key, body, o)
	}
	return entry
}

// The way from the last of six leaves to the root.
func proof(key *ecdsa.PrivateKey, body []byte, o bundleOptions) object {
	join := func(left, right []byte) []byte {
		digest := sha256.Sum256(append(append([]byte{1}, left...), right...))
		return digest[:]
	}
	own := sha256.Sum256(append([]byte{0}, body...))
	var leaves [][]byte
	for n := range 5 {
		leaf := sha256.Sum256([]byte{byte(n)})
		leaves = append(leaves, leaf[:])
	}
	four := join(join(leaves[0], leaves[1]), join(leaves[2], leaves[3]))
	root := join(four, join(leaves[4], own[:]))
	steps := []string{b64(leaves[4]), b64(four)}
	if o.brokenProof {
		steps[0] = b64(leaves[3])
	}
	origin := "log.example"
	if !o.second {
		origin += " - 42"
	}
	text := fmt.Sprintf("%s\n6\n%s\n", origin, b64(root))
	if o.otherTree {
		text = fmt.Sprintf("%s\n6\n%s\n", origin, b64(four))
	}
	if o.otherCheckpoint {
		key = newKey(elliptic.P256())
	}
	signed := sign(key, []byte(text))
	// The hint is the beginning of the key's digest.
	hint := logID(key)[:4]
	line := b64(append(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(hint)), signed...))
	return object{"logIndex": "5", "treeSize": "6", "rootHash": b64(root), "hashes": steps,
		"checkpoint": object{"envelope": text + "\n\u2014 log.example " + line + "\n"}}
}

// What differs from a good signature of the older form.
type simpleOptions struct {
	leaf                                                    leafOptions
	keyed, noEntry, brokenPromise, otherEntry, otherPayload bool
	otherSigner                                             bool
	flipped                                                 bool
	key                                                     *ecdsa.PrivateKey
	at                                                      time.Time
}

func (i *instance) simple(digest string, o simpleOptions) *simple {
	if o.at.IsZero() {
		o.at = moment
	}
	payload := fmt.Sprintf(`{"critical":{"identity":{"docker-reference":"example.org/app"},"image":{"docker-manifest-digest":"%s"},"type":"cosign container image signature"},"optional":null}`, digest)
	key := newKey(elliptic.P256())
	if o.key != nil {
		key = o.key
	}
	signed := sign(key, []byte(payload))
	if o.flipped {
		signed[len(signed)-1] ^= 1
	}
	made := &simple{Payload: payload, Annotations: map[string]string{"dev.cosignproject.cosign/signature": b64(signed)}}
	if o.keyed {
		return made
	}
	leaf := i.leaf(subject, issuer, key.Public(), o.leaf)
	made.Annotations["dev.sigstore.cosign/certificate"] = string(certificatePEM(leaf))
	made.Annotations["dev.sigstore.cosign/chain"] = string(certificatePEM(i.intermediate)) + string(certificatePEM(i.root))
	if o.noEntry {
		return made
	}
	if o.otherSigner {
		leaf = i.leaf(subject, issuer, newKey(elliptic.P256()).Public(), leafOptions{})
	}
	written, what := signed, payload
	if o.otherEntry {
		written = []byte("another signature")
	}
	if o.otherPayload {
		what = "other"
	}
	body := must(json.Marshal(object{"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": object{
		"data":      object{"hash": object{"algorithm": "sha256", "value": hexOf([]byte(what))}},
		"signature": object{"content": b64(written), "publicKey": object{"content": b64(certificatePEM(leaf))}}}}))
	promise := sign(i.log, []byte(fmt.Sprintf(`{"body":"%s","integratedTime":%d,"logID":"%s","logIndex":5}`,
		b64(body), o.at.Unix(), hex.EncodeToString(logID(i.log)))))
	if o.brokenPromise {
		promise[len(promise)-1] ^= 1
	}
	made.Annotations["dev.sigstore.cosign/bundle"] = string(must(json.Marshal(object{
		"SignedEntryTimestamp": b64(promise),
		"Payload": object{"body": b64(body), "integratedTime": o.at.Unix(), "logIndex": 5,
			"logID": hex.EncodeToString(logID(i.log))}})))
	return made
}

// What cosign's library says, used as source-controller uses it, but with a look at the digest.
func (r *record) judge() error {
	ctx := context.Background()
	options := &cosign.CheckOpts{ClaimVerifier: cosign.SimpleClaimVerifier}
	for _, one := range r.Identities {
		options.Identities = append(options.Identities, cosign.Identity{IssuerRegExp: one.Issuer, SubjectRegExp: one.Subject})
	}
	if r.Key != "" {
		options.Offline, options.IgnoreTlog = true, true
		block, _ := pem.Decode([]byte(r.Key))
		options.SigVerifier = must(signature.LoadVerifier(must(x509.ParsePKIXPublicKey(block.Bytes)), crypto.SHA256))
	} else {
		options.TrustedMaterial = must(root.NewTrustedRootFromJSON(r.Root))
	}
	if r.Simple != nil {
		var with []static.Option
		annotation := func(name string) []byte { return []byte(r.Simple.Annotations["dev.sigstore.cosign/"+name]) }
		if len(annotation("certificate")) > 0 {
			with = append(with, static.WithCertChain(annotation("certificate"), annotation("chain")))
		}
		if len(annotation("bundle")) > 0 {
			with = append(with, static.WithAnnotations(r.Simple.Annotations))
			noted := entryBundle{}
			if err := json.Unmarshal(annotation("bundle"), &noted); err != nil {
				return err
			}
			with = append(with, static.WithBundle(noted.rekor()))
		}
		made := must(static.NewSignature([]byte(r.Simple.Payload), r.Simple.Annotations["dev.cosignproject.cosign/signature"], with...))
		_, err := cosign.VerifyImageSignature(ctx, made, must(v1.NewHash(r.Digest)), options)
		return err
	}
	options.NewBundleFormat = true
	read := &bundle.Bundle{}
	if err := read.UnmarshalJSON(r.Bundle); err != nil {
		return err
	}
	if !read.MinVersion("v0.3") {
		return fmt.Errorf("bundle version too old")
	}
	digest := must(hex.DecodeString(r.Digest[7:]))
	_, err := cosign.VerifyNewBundle(ctx, options, verify.WithArtifactDigest("sha256", digest), read)
	return err
}
