package scene

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"concordat/chaincode/canonical"
)

// Holder is a key and the certificate over it.
type Holder struct {
	Key *ecdsa.PrivateKey
	DER []byte
}

// X5t is the certificate's thumbprint.
func (h *Holder) X5t() string {
	sum := sha256.Sum256(h.DER)
	return canonical.Base64(sum[:])
}

// CA issues certificates.
type CA struct {
	Holder
	Certificate *x509.Certificate
	serial      int64
}

// Template is a certificate's template of this scene, for tests that change it.
func Template(name string, isCA bool) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Unix(1767225600, 0), // 2026-01-01
		NotAfter:              time.Unix(2082758400, 0), // 2036-01-01
		BasicConstraintsValid: true,
		IsCA:                  isCA,
		KeyUsage:              x509.KeyUsageDigitalSignature,
	}
	if isCA {
		template.KeyUsage = x509.KeyUsageCertSign
	}
	return template
}

// NewKey makes a key on a curve.
func NewKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	must(t, err)
	return key
}

// NewCA makes a lender CA with a root of its own.
func NewCA(t testing.TB, name string) *CA {
	t.Helper()
	key := NewKey(t, elliptic.P256())
	template := Template(name, true)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return &CA{Holder: Holder{Key: key, DER: der}, Certificate: certificate}
}

// Issue makes a lender's key and certificate.
func (c *CA) Issue(t testing.TB, sub string) *Holder {
	t.Helper()
	return c.Sign(t, Template(sub, false), NewKey(t, elliptic.P256()))
}

// Sign makes the certificate of a template and key.
func (c *CA) Sign(t testing.TB, template *x509.Certificate, key *ecdsa.PrivateKey) *Holder {
	t.Helper()
	c.serial++
	template.SerialNumber = big.NewInt(c.serial)
	der, err := x509.CreateCertificate(rand.Reader, template, c.Certificate, &key.PublicKey, c.Key)
	must(t, err)
	return &Holder{Key: key, DER: der}
}
