package main

import (
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func publicPEM(key any) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))}))
}

func main() {
	i, other := newInstance(), newInstance()
	trusted := json.RawMessage(must(i.trusted().MarshalJSON()))
	digest, another := digestOf(newArtifact().Manifest), digestOf("another")
	ann := []identity{{Issuer: "^https://login\\.example$", Subject: "^.+@example\\.org$"}}
	var records []*record
	bundled := func(name string, who []identity, o bundleOptions) {
		records = append(records, &record{Name: "bundle: " + name, Digest: digest, Bundle: i.bundle(digest, o), Root: trusted, Identities: who})
	}
	layered := func(name string, who []identity, o simpleOptions) {
		records = append(records, &record{Name: "layer: " + name, Digest: digest, Simple: i.simple(digest, o), Root: trusted, Identities: who})
	}
	late := moment.Add(time.Hour)
	bundled("a promise and a proof", ann, bundleOptions{})
	bundled("a promise", ann, bundleOptions{noProof: true, noStamp: true})
	bundled("a proof and a time stamp of a log without times", ann, bundleOptions{second: true})
	bundled("a log without times, and no time stamp", ann, bundleOptions{second: true, noStamp: true})
	bundled("a log without times, a time stamp of another clock", ann, bundleOptions{second: true, otherStamp: true})
	bundled("a log without times, a time stamp for another signature", ann, bundleOptions{second: true, stampForOther: true})
	bundled("a log without times, a time stamp after the certificate", ann, bundleOptions{second: true, at: late})
	bundled("a log without times, another signature in it", ann, bundleOptions{second: true, otherEntry: true})
	bundled("a log without times, another content in it", ann, bundleOptions{second: true, otherPayload: true})
	bundled("a log without times, a broken proof", ann, bundleOptions{second: true, brokenProof: true})
	bundled("a log without times, a checkpoint of another log", ann, bundleOptions{second: true, otherCheckpoint: true})
	bundled("neither promise nor proof", ann, bundleOptions{noPromise: true, noProof: true})
	bundled("a broken promise", ann, bundleOptions{brokenPromise: true})
	bundled("a broken proof", ann, bundleOptions{brokenProof: true})
	bundled("a checkpoint of another log", ann, bundleOptions{otherCheckpoint: true})
	bundled("a checkpoint of another tree", ann, bundleOptions{otherTree: true})
	bundled("another signer in the log", ann, bundleOptions{otherSigner: true})
	bundled("a log without times, another signer in it", ann, bundleOptions{second: true, otherSigner: true})
	bundled("a log without times, a checkpoint of another tree", ann, bundleOptions{second: true, otherTree: true})
	bundled("a log that nobody knows", ann, bundleOptions{otherLog: true})
	bundled("another signature in the log", ann, bundleOptions{otherEntry: true})
	bundled("another content in the log", ann, bundleOptions{otherPayload: true})
	bundled("signed after the certificate's end", ann, bundleOptions{at: late})
	bundled("a wrong signature", ann, bundleOptions{flipped: true})
	bundled("a certificate of another authority", ann, bundleOptions{leaf: leafOptions{otherAuthority: other}})
	bundled("a certificate that no log promised", ann, bundleOptions{leaf: leafOptions{noPromise: true}})
	bundled("a certificate that another log promised", ann, bundleOptions{leaf: leafOptions{otherLog: true}})
	bundled("a certificate with a broken promise", ann, bundleOptions{leaf: leafOptions{brokenPromise: true}})
	bundled("a certificate for servers", ann, bundleOptions{leaf: leafOptions{otherUsage: true}})
	bundled("somebody else", []identity{{Issuer: "login", Subject: "bob"}}, bundleOptions{})
	bundled("another issuer", []identity{{Issuer: "elsewhere", Subject: "ann"}}, bundleOptions{})
	bundled("nobody is named", nil, bundleOptions{})
	bundled("an old version", ann, bundleOptions{old: true})
	bundled("another artifact", ann, bundleOptions{})
	records[len(records)-1].Digest = another
	bundled("a key where a certificate is wanted", ann, bundleOptions{keyed: true})

	keyed := func(name string, key any, o bundleOptions) {
		records = append(records, &record{Name: "bundle: " + name, Digest: digest, Bundle: i.bundle(digest, o), Key: publicPEM(key)})
	}
	keyed("the key", i.log.Public(), bundleOptions{keyed: true})
	keyed("another key", newKey(elliptic.P256()).Public(), bundleOptions{keyed: true})
	keyed("a wrong signature of the key", i.log.Public(), bundleOptions{keyed: true, flipped: true})
	keyed("a certificate where a key is wanted", i.log.Public(), bundleOptions{})
	keyed("another artifact by the key", i.log.Public(), bundleOptions{keyed: true})
	records[len(records)-1].Digest = another

	layered("a certificate in the log", ann, simpleOptions{})
	layered("nobody is named", nil, simpleOptions{})
	layered("somebody else", []identity{{Issuer: "login", Subject: "bob"}}, simpleOptions{})
	layered("one of two", []identity{{Issuer: "login", Subject: "bob"}, ann[0]}, simpleOptions{})
	layered("a broken promise", ann, simpleOptions{brokenPromise: true})
	layered("no entry", ann, simpleOptions{noEntry: true})
	layered("another signature in the log", ann, simpleOptions{otherEntry: true})
	layered("another signer in the log", ann, simpleOptions{otherSigner: true})
	layered("another content in the log", ann, simpleOptions{otherPayload: true})
	layered("signed after the certificate's end", ann, simpleOptions{at: late})
	layered("a wrong signature", ann, simpleOptions{flipped: true})
	layered("a certificate of another authority", ann, simpleOptions{leaf: leafOptions{otherAuthority: other}})
	layered("a certificate that no log promised", ann, simpleOptions{leaf: leafOptions{noPromise: true}})
	layered("another artifact", ann, simpleOptions{})
	records[len(records)-1].Digest = another
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key := newKey(curve)
		records = append(records, &record{Name: "layer: the key " + curve.Params().Name, Digest: digest,
			Simple: i.simple(digest, simpleOptions{keyed: true, key: key}), Key: publicPEM(key.Public())})
	}
	key := newKey(elliptic.P256())
	records = append(records,
		&record{Name: "layer: another key", Digest: digest, Simple: i.simple(digest, simpleOptions{keyed: true}), Key: publicPEM(key.Public())},
		&record{Name: "layer: a wrong signature of the key", Digest: digest, Simple: i.simple(digest, simpleOptions{keyed: true, key: key, flipped: true}), Key: publicPEM(key.Public())},
		&record{Name: "layer: another artifact by the key", Digest: another, Simple: i.simple(digest, simpleOptions{keyed: true, key: key}), Key: publicPEM(key.Public())})

	chart := digestOf(newChart().Manifest)
	records = append(records, &record{Name: "layer: a chart by the key", Digest: chart,
		Simple: i.simple(chart, simpleOptions{keyed: true, key: key}), Key: publicPEM(key.Public())})

	for _, one := range records {
		err := one.judge()
		one.Accepted = err == nil
		if err != nil {
			one.Text = err.Error()
		}
		fmt.Printf("%-60s %v %s\n", one.Name, one.Accepted, one.Text)
	}
	write("artifacts.json", []artifact{newArtifact(), newChart()})
	write("cosign.json", records)
	write("notation.json", notationCases())
}

func write(name string, records any) {
	content := must(json.MarshalIndent(records, "", " "))
	if err := os.WriteFile(filepath.Join(os.Args[1], name), append(content, '\n'), 0o644); err != nil {
		panic(err)
	}
}
