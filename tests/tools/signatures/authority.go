// An instance of sigstore of our own: an authority, a certificate log, a transparency log and a clock.

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/sigstore/sigstore-go/pkg/root"
)

// Everything happens around this moment, and is trusted from a year before to a century after it.
var moment = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

var (
	oldIssuerID = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 1}
	issuerID    = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 8}
	promiseID   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}
)

type instance struct {
	root, intermediate       *x509.Certificate
	rootKey, intermediateKey *ecdsa.PrivateKey
	certificateLog, log      *ecdsa.PrivateKey
	clockRoot, clock         *x509.Certificate
	clockKey                 *ecdsa.PrivateKey
	serial                   int64
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	return must(ecdsa.GenerateKey(curve, rand.Reader))
}

func newInstance() *instance {
	i := &instance{
		rootKey: newKey(elliptic.P384()), intermediateKey: newKey(elliptic.P384()),
		certificateLog: newKey(elliptic.P256()), log: newKey(elliptic.P256()), clockKey: newKey(elliptic.P256()),
		serial: 100,
	}
	authority := func(name string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name, Organization: []string{"weir"}},
			NotBefore: moment.AddDate(-1, 0, 0), NotAfter: moment.AddDate(100, 0, 0),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	root := authority("root", 1)
	i.root = issue(root, root, i.rootKey.Public(), i.rootKey)
	intermediate := authority("intermediate", 2)
	intermediate.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	i.intermediate = issue(intermediate, i.root, i.intermediateKey.Public(), i.rootKey)
	clockRootKey := newKey(elliptic.P384())
	clockRoot := authority("clocks", 3)
	i.clockRoot = issue(clockRoot, clockRoot, clockRootKey.Public(), clockRootKey)
	usage := must(asn1.Marshal([]asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 8}}))
	clock := &x509.Certificate{
		SerialNumber: big.NewInt(4), Subject: pkix.Name{CommonName: "clock"},
		NotBefore: moment.AddDate(-1, 0, 0), NotAfter: moment.AddDate(100, 0, 0),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: true, Value: usage}},
	}
	i.clock = issue(clock, i.clockRoot, i.clockKey.Public(), clockRootKey)
	return i
}

func issue(template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, parent, public, key))))
}

// What a certificate differs in from a good one.
type leafOptions struct {
	noPromise, otherLog, brokenPromise, otherUsage bool
	otherAuthority                                 *instance
}

func (i *instance) leaf(subject, issuer string, public crypto.PublicKey, o leafOptions) *x509.Certificate {
	i.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(i.serial), EmailAddresses: []string{subject},
		NotBefore: moment.Add(-time.Minute), NotAfter: moment.Add(9 * time.Minute),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning},
		ExtraExtensions: []pkix.Extension{
			{Id: oldIssuerID, Value: []byte(issuer)},
			{Id: issuerID, Value: must(asn1.MarshalWithParams(issuer, "utf8"))},
		},
	}
	if o.otherUsage {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	by := i
	if o.otherAuthority != nil {
		by = o.otherAuthority
	}
	before := issue(template, by.intermediate, public, by.intermediateKey)
	if o.noPromise {
		return before
	}
	key := i.certificateLog
	if o.otherLog {
		key = newKey(elliptic.P256())
	}
	promise := promised(key, by.intermediate, before.RawTBSCertificate)
	if o.brokenPromise {
		promise[len(promise)-1] ^= 1
	}
	list := append(binary.BigEndian.AppendUint16(nil, uint16(len(promise))), promise...)
	list = append(binary.BigEndian.AppendUint16(nil, uint16(len(list))), list...)
	template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: promiseID, Value: must(asn1.Marshal(list))})
	return issue(template, by.intermediate, public, by.intermediateKey)
}

// A promise of a certificate log (RFC 6962, 3.2).
func promised(key *ecdsa.PrivateKey, issuer *x509.Certificate, content []byte) []byte {
	when := uint64(moment.UnixMilli())
	issuerKey := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	said := binary.BigEndian.AppendUint64([]byte{0, 0}, when)
	said = append(said, 0, 1)
	said = append(said, issuerKey[:]...)
	said = append(said, byte(len(content)>>16), byte(len(content)>>8), byte(len(content)))
	said = append(said, content...)
	said = append(said, 0, 0)
	signature := sign(key, said)
	id := logID(key)
	promise := append([]byte{0}, id...)
	promise = binary.BigEndian.AppendUint64(promise, when)
	promise = append(promise, 0, 0, 4, 3)
	promise = binary.BigEndian.AppendUint16(promise, uint16(len(signature)))
	return append(promise, signature...)
}

func sign(key *ecdsa.PrivateKey, content []byte) []byte {
	digest := sha256.Sum256(content)
	return must(ecdsa.SignASN1(rand.Reader, key, digest[:]))
}

func logID(key *ecdsa.PrivateKey) []byte {
	id := sha256.Sum256(must(x509.MarshalPKIXPublicKey(key.Public())))
	return id[:]
}

func (i *instance) stamp(signature []byte, at time.Time) []byte {
	digest := sha256.Sum256(signature)
	answer := timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: digest[:], Time: at, SerialNumber: big.NewInt(7),
		Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true,
	}
	return must(answer.CreateResponseWithOpts(i.clock, i.clockKey, crypto.SHA256))
}

func (i *instance) trusted() *root.TrustedRoot {
	start, end := moment.AddDate(-1, 0, 0), moment.AddDate(100, 0, 0)
	logs := func(key *ecdsa.PrivateKey, url string) map[string]*root.TransparencyLog {
		return map[string]*root.TransparencyLog{hex.EncodeToString(logID(key)): {
			BaseURL: url, ID: logID(key), ValidityPeriodStart: start, ValidityPeriodEnd: end,
			HashFunc: crypto.SHA256, PublicKey: key.Public(), SignatureHashFunc: crypto.SHA256,
		}}
	}
	return must(root.NewTrustedRoot(root.TrustedRootMediaType01,
		[]root.CertificateAuthority{&root.FulcioCertificateAuthority{
			Root: i.root, Intermediates: []*x509.Certificate{i.intermediate},
			ValidityPeriodStart: start, ValidityPeriodEnd: end, URI: "https://authority.example",
		}},
		logs(i.certificateLog, "https://certificates.example"),
		[]root.TimestampingAuthority{&root.SigstoreTimestampingAuthority{
			Root: i.clockRoot, Leaf: i.clock, ValidityPeriodStart: start, ValidityPeriodEnd: end, URI: "https://clock.example",
		}},
		logs(i.log, "https://log.example")))
}
